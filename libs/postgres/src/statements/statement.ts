import { createHash } from 'node:crypto';
import type { Param } from './params.js';

/** One SQL statement with parameters `$1`, `$2` and so on. */
export interface Statement {
  /** Under which the server keeps it prepared. Another text has another name, also where two stores share connections. */
  readonly name: string;
  readonly text: string;
}

export function statement(what: string, text: string): Statement {
  return { name: `mississippi_${what}_${createHash('sha256').update(text).digest('hex').slice(0, 12)}`, text };
}

/** A statement with what its parameters stand for. */
export interface Filled {
  readonly statement: Statement;
  readonly params: readonly Param[];
}

/** The statement with its parameters in the text. */
export function inline({ text }: Statement, params: readonly Param[]): string {
  return text.replace(/\$(\d+)/g, (_, number) => params[Number(number) - 1]!.literal());
}

/** Has the session keep a statement prepared, by SQL, so that it can be used within a message of several statements. */
export function prepareText({ name, text }: Statement): string {
  return `PREPARE ${quoted(name)} AS ${text}`;
}

/** Uses it. */
export function executeText({ name }: Statement, params: readonly Param[]): string {
  return `EXECUTE ${quoted(name)} (${params.map(({ literal }) => literal()).join(', ')})`;
}

/** A name as SQL takes any. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
