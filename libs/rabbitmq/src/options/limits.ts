/** Fewer channels on a connection are not enough to declare the queues and to publish. */
export const LEAST_CHANNELS = 16;
/** Smaller frames do not hold the headers of a dead letter. Bytes. */
export const LEAST_FRAME = 16_384;
