/** One departure from an airport, as the data has it. */
export interface Flight {
  /** The flight's place in the file, from 1: grows with time at every airport, so it tells what was counted before. */
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

/** Three letters, as IATA gives them to airports. */
export const AIRPORT_CODE = /^[A-Z]{3}$/;
