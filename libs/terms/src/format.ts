/** Octets of the external term format ("External Term Format", ERTS User's Guide). */
export const VERSION = 131;

export const Tag = {
  newFloat: 70,
  bitBinary: 77,
  compressed: 80,
  smallInteger: 97,
  integer: 98,
  float: 99,
  atom: 100,
  smallTuple: 104,
  largeTuple: 105,
  nil: 106,
  string: 107,
  list: 108,
  binary: 109,
  smallBig: 110,
  largeBig: 111,
  smallAtom: 115,
  map: 116,
  atomUtf8: 118,
  smallAtomUtf8: 119,
} as const;

/** Bytes in front of the content of a whole binary: version, tag, 32-bit length. */
export const BINARY_HEADER = 6;

/** Whether these bytes are exactly one uncompressed binary: the way of nearly every key, and already canonical. */
export function isWholeBinary(bytes: Uint8Array): boolean {
  if (bytes.length < BINARY_HEADER || bytes[0] !== VERSION || bytes[1] !== Tag.binary) return false;
  const length =
    (bytes[2] as number) * 0x1000000 +
    (((bytes[3] as number) << 16) | ((bytes[4] as number) << 8) | (bytes[5] as number));
  return length === bytes.length - BINARY_HEADER;
}

/** Terms that exist only inside the Erlang system that made them, or that carry code. */
export const FOREIGN_TAGS: ReadonlyMap<number, string> = new Map([
  [82, 'an atom cache reference'],
  [88, 'a pid'],
  [89, 'a port'],
  [90, 'a reference'],
  [101, 'a reference'],
  [102, 'a port'],
  [103, 'a pid'],
  [112, 'a function'],
  [113, 'a function'],
  [114, 'a reference'],
  [117, 'a function'],
  [120, 'a port'],
  [121, 'a node-local term'],
]);
