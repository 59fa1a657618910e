import { sqlStateOf } from './sql-states.js';

/** What a statement of ours raises by itself: the words stand in the error's text, whatever language the server speaks. */
export const REFUSALS = {
  stale: 'mississippi: stale',
  repeated: 'mississippi: repeated',
  otherTransaction: 'mississippi: other transaction',
} as const;

export type Refusal = keyof typeof REFUSALS;

/** `invalid_text_representation`: that no such text is a number. */
const NO_NUMBER = '22P02';

export function refusalOf(error: unknown): Refusal | undefined {
  if (sqlStateOf(error) !== NO_NUMBER) return undefined;
  const { message } = error as Error;
  return (Object.keys(REFUSALS) as Refusal[]).find((refusal) => message.includes(REFUSALS[refusal]));
}
