/**
 * The magnitude of an integer as bytes, lowest first, without zeros at the end: the digits of a big integer in the
 * external term format, and what phash2 hashes.
 */
export function magnitudeBytes(value: number | bigint): Uint8Array {
  if (typeof value === 'number') return magnitudeOfNumber(Math.abs(value));
  // Base 16 is exact and takes linear time, which shifting a large bigint byte by byte does not.
  const digits = value.toString(16).replace('-', '');
  const hex = digits === '0' ? '' : digits;
  const bytes = new Uint8Array((hex.length + 1) >> 1);
  for (let i = 0; i < bytes.length; i++) {
    const end = hex.length - 2 * i;
    bytes[i] = Number.parseInt(hex.slice(Math.max(0, end - 2), end), 16);
  }
  return bytes;
}

function magnitudeOfNumber(magnitude: number): Uint8Array {
  const low = magnitude >>> 0;
  const high = Math.floor(magnitude / 0x100000000);
  const bytes = Uint8Array.of(low, low >>> 8, low >>> 16, low >>> 24, high, high >>> 8, high >>> 16);
  return bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
}

/** The integer with this magnitude, lowest byte first: a number when it is safe, else a bigint. */
export function integerFrom(magnitude: Uint8Array, negative: boolean): number | bigint {
  if (magnitude.length <= 6) {
    let value = 0;
    for (let i = magnitude.length - 1; i >= 0; i--) value = value * 256 + (magnitude[i] as number);
    return negative && value !== 0 ? -value : value;
  }
  const hex = Buffer.from(magnitude.toReversed()).toString('hex');
  const value = negative ? -BigInt(`0x${hex}`) : BigInt(`0x${hex}`);
  return asSafe(value);
}

/** One integer, one spelling: a number when it is safe, else a bigint. */
export function asSafe(value: bigint): number | bigint {
  const short = Number(value);
  return Number.isSafeInteger(short) ? short : value;
}
