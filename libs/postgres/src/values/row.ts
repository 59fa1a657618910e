/** A row as the database answers: bytes as a `Buffer`, whole numbers and floats as numbers, all else as text. */
export type Row = readonly Cell[];
export type Cell = Buffer | number | string | boolean | null;

type Parse = (text: string) => Cell;

/** By the numbers of types (`pg_type.h`). An app may have set parsers of its own for all of pg; these go before them. */
const PARSERS: Readonly<Record<number, Parse>> = {
  16: (text) => text === 't',
  17: (text) => Buffer.from(text.slice(2), 'hex'), // Of the form \x00ff: `bytea_output`, set on each connection.
  20: Number,
  21: Number,
  23: Number,
  701: Number,
};

const asIs: Parse = (text) => text;

/** As pg asks for a parser. */
export const pgTypes = { getTypeParser: (oid: number): Parse => PARSERS[oid] ?? asIs };

/** As PGlite asks for them. Types that it would parse otherwise and that no statement of ours answers are left out. */
export const pgliteParsers: Record<number, Parse> = { ...PARSERS };
