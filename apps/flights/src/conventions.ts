/**
 * What two of the figures mean. Both sides of the check, the handler's running statistics and the independent fold,
 * agree on these definitions and on nothing else.
 */

/**
 * Minutes of delay from which a flight is late. The US Department of Transportation counts a flight as on time when it
 * arrives less than 15 minutes after its published arrival time (14 CFR 234.2); the `delay` of the data is the arrival's.
 */
export const LATE_FROM_MINUTES = 15;

/** Weight of the newest flight in the exponential moving average of the delay; the airport's first flight starts it. */
export const DELAY_SMOOTHING = 0.1;
