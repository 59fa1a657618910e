import { now } from '../rabbitmq/reading.js';

/** The machine's monotonic clock, which its processes share. Milliseconds. */
export const clock = (): number => now() / 1_000;
