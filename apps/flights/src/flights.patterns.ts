/** The patterns that the app answers over TCP. */

/** Counts one flight; answered when it is counted and stored. */
export const FLIGHT_PATTERN = 'flight';

/** Tells the statistics of the airport whose code is sent; `null` when none departed from there. */
export const AIRPORT_PATTERN = 'airport';
