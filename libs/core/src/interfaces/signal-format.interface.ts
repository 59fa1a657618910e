import type { PayloadCodec } from './payload-codec.interface.js';

/**
 * How signals and their answers travel, in one process as between two: `'json'` (default), or a codec. The codec gets any
 * value but `undefined`, which needs none; what it cannot carry it must refuse with a throw. Both of its methods are
 * synchronous, and the bytes of `encode` are nobody else's. Every process of an app needs the same one.
 * @publicApi
 */
export type SignalFormat = 'json' | PayloadCodec;
