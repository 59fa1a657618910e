import type { PayloadCodec } from '@mississippi/core';

/** What a device measured. */
export interface Reading {
  /** From 1, one more each time. */
  sequence: number;
  celsius: number;
}

const BYTES = 12;

/** `<<Sequence:32, Celsius:64/float>>` in Elixir's terms: payloads need not be JSON. */
export const readingCodec: PayloadCodec<Reading> = {
  encode({ sequence, celsius }) {
    const body = Buffer.alloc(BYTES);
    body.writeUInt32BE(sequence, 0);
    body.writeDoubleBE(celsius, 4);
    return body;
  },

  decode(body) {
    if (body.length !== BYTES) throw new RangeError(`a reading has ${BYTES} bytes, not ${body.length}`);
    const view = Buffer.from(body);
    return { sequence: view.readUInt32BE(0), celsius: view.readDoubleBE(4) };
  },
};
