/** One departure from an airport, as the data has it. */
export interface Flight {
  /** The flight's place in the file, from 1. Its message's id is made of it. */
  row: number;
  /** When it departed, local time, as `2001/01/31 23:59`. */
  date: string;
  /** Minutes after the published arrival time; negative when early. */
  delay: number;
  /** Miles. */
  distance: number;
  origin: string;
  destination: string;
}

/** What the message ids begin with where all runs have the same. */
export const EVERY_RUN = 'flight';

/** Three letters, as IATA gives them to airports. */
export const AIRPORT_CODE = /^[A-Z]{3}$/;

/** The same whenever the flight is sent, unless a run has ids of its own. */
export function messageIdOf(row: number, run = EVERY_RUN): string {
  return `${run}:${row}`;
}
