/** The header that carries the sharding key in the external term format. */
export const KEY_HEADER = 'sharding_key';

/** Names the headers that were left out because the table would have grown too large. */
export const DROPPED_HEADER = 'mississippi_dropped_headers';

/** Of a signal: the callbacks that wait for it, in JSON. */
export const WAITING_HEADER = 'mississippi_waiting';

/** Of a signal: when its caller stops waiting, on the caller's clock, and the name of that. */
export const DEADLINE_HEADER = 'mississippi_deadline';

/** Tells why a message is in the side queue: `held` or `pressure`. */
export const PARKED_HEADER = 'mississippi_parked';
