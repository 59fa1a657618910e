import { decodeTerm } from './decode.js';
import { writeTerm } from './encode.js';
import { isWholeBinary, Tag, VERSION } from './format.js';
import { resolveLimits, type TermLimits } from './limits.js';

/**
 * One spelling for every term, so that keys can be compared byte by byte: the pairs of maps sorted, atoms in UTF-8,
 * integers and lists in their shortest form, nothing compressed. `1` and `1.0` stay two keys.
 *
 * -0.0 becomes 0.0: up to OTP 26 they are one term (`=:=`), and in every version they have one phash2.
 *
 * Bytes that are canonical at a glance (binaries, small integers) are returned as they are, not copied. All others come
 * back in memory of their own.
 *
 * Throws what {@link decodeTerm} throws.
 *
 * @publicApi
 */
export function canonicalize(bytes: Uint8Array, limits?: TermLimits): Uint8Array {
  const resolved = resolveLimits(limits);
  if (bytes.length <= resolved.maxBytes && (isWholeBinary(bytes) || isShortInteger(bytes))) return bytes;
  return writeTerm(decodeTerm(bytes, resolved), resolved.maxBytes, true);
}

/** Whether these bytes are an integer of up to 32 bits in its shortest form. */
function isShortInteger(bytes: Uint8Array): boolean {
  if (bytes[0] !== VERSION) return false;
  if (bytes.length === 3) return bytes[1] === Tag.smallInteger;
  // INTEGER_EXT of a value from 0 to 255 should have been a SMALL_INTEGER_EXT.
  return bytes.length === 6 && bytes[1] === Tag.integer && (bytes[2] !== 0 || bytes[3] !== 0 || bytes[4] !== 0);
}
