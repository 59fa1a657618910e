import pg from 'pg';
import type { Param } from '../statements/params.js';
import type { Statement } from '../statements/statement.js';
import { pgTypes, type Row } from '../values/row.js';
import type { SqlResult } from '../database/sql-client.interface.js';

/** A client of pg as it comes from a pool. */
export type Client = pg.PoolClient;

/** How statements are sent. */
export interface Sending {
  readonly prepare: boolean;
  /** Milliseconds after which there is no answer any more. */
  readonly requestTimeout: number;
}

/** pg takes more in a query than its types say: a time-out, and which protocol to use. */
interface QueryConfig extends pg.QueryArrayConfig {
  readonly query_timeout?: number;
  readonly queryMode?: 'extended';
}

/** One statement with parameters. */
export async function askClient(
  client: Client,
  { name, text }: Statement,
  params: readonly Param[],
  { prepare, requestTimeout }: Sending,
): Promise<readonly Row[]> {
  const config: QueryConfig = {
    ...(prepare ? { name } : {}),
    text,
    values: params.map(({ value }) => value),
    rowMode: 'array',
    types: pgTypes,
    query_timeout: requestTimeout,
  };
  return (await client.query<unknown[]>(config)).rows as unknown as readonly Row[];
}

/** One answer for each statement of a text without parameters: all go as one message of the simple protocol. */
export interface Answer {
  readonly command: string;
  readonly rows: readonly Row[];
}

export async function askText(client: Client, text: string, requestTimeout?: number): Promise<readonly Answer[]> {
  const config: QueryConfig = {
    text,
    rowMode: 'array',
    types: pgTypes,
    ...(requestTimeout === undefined ? {} : { query_timeout: requestTimeout }),
  };
  const answer: unknown = await client.query<unknown[]>(config);
  return (Array.isArray(answer) ? answer : [answer]) as Answer[];
}

/** A handler's statement, with the app's own parsers. The extended protocol takes one statement and no more. */
export async function askForHandler(
  client: Client,
  text: string,
  values: readonly unknown[],
): Promise<SqlResult<unknown>> {
  const config = { text, values: [...values], queryMode: 'extended' };
  const { rows, rowCount } = await client.query<Record<string, unknown>>(config);
  return { rows, rowCount: rowCount ?? 0 };
}
