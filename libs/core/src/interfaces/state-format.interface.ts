import type { PayloadCodec } from './payload-codec.interface.js';

/**
 * How the states of keys are kept where there is a store: `'json'` (default), which refuses what it would not give back alike,
 * or a codec. `encode` answers at once.
 * @publicApi
 */
export type StateFormat = 'json' | PayloadCodec;
