/**
 * Where things are in a content header frame and its table of headers: AMQP 0-9-1 specification, 4.2.6.1 and 4.2.5.5.
 * Nothing here trusts a length.
 */

/** Bits of the property flags before `headers`: content-type and content-encoding, each a short string. */
const CONTENT_TYPE = 0x8000;
const CONTENT_ENCODING = 0x4000;
const HEADERS = 0x2000;

/** The entries of the table of headers; `undefined` where there is none. */
export function headersOf(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly start: number; readonly end: number } | undefined {
  let offset = start + 12; // class, weight, body size
  if (offset + 2 > end) return undefined;
  const flags = bytes.readUInt16BE(offset);
  offset += 2;
  if ((flags & HEADERS) === 0) return undefined;
  for (const flag of [CONTENT_TYPE, CONTENT_ENCODING]) if (flags & flag) offset += 1 + (bytes[offset] ?? 0);
  if (offset + 4 > end) return undefined;
  return { start: offset + 4, end: Math.min(end, offset + 4 + bytes.readUInt32BE(offset)) };
}

/** In the table of sizes: no fixed one. */
const UNKNOWN = -1;

/** Bytes of a value after its type octet, by type; variable ones carry their length in four bytes. */
const FIXED = sizesByOctet({
  t: 1,
  b: 1,
  B: 1,
  s: 2,
  u: 2,
  I: 4,
  i: 4,
  l: 8,
  L: 8,
  f: 4,
  d: 8,
  D: 5,
  T: 8,
  V: 0,
});
const VARIABLE = octetsOf(['S', 'x', 'A', 'F']);

/** Where the value ends whose type octet is at `type`; `undefined` where the type is unknown. May lie beyond `end`. */
export function valueEnd(bytes: Buffer, type: number, end: number): number | undefined {
  const octet = bytes[type]!;
  const fixed = FIXED[octet]!;
  if (fixed !== UNKNOWN) return type + 1 + fixed;
  if (VARIABLE[octet] !== 1 || type + 5 > end) return undefined;
  return type + 5 + bytes.readUInt32BE(type + 1);
}

function sizesByOctet(sizes: Readonly<Record<string, number>>): Int8Array {
  const table = new Int8Array(256).fill(UNKNOWN);
  for (const [tag, size] of Object.entries(sizes)) table[tag.charCodeAt(0)] = size;
  return table;
}

function octetsOf(tags: readonly string[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const tag of tags) table[tag.charCodeAt(0)] = 1;
  return table;
}
