/**
 * A parameter of a statement, in the two forms in which it travels: by itself, or within the statement's text where several
 * statements go as one message.
 */
export interface Param {
  /** A `Buffer` goes in the binary format, a string as text. */
  readonly value: Buffer | string | null;
  /** As SQL. Holds nothing but digits, hexadecimal digits, and what quotes them. */
  readonly literal: () => string;
}

/** Numbers of types (`pg_type.h`); the same on every server. */
const OID = { bytea: 17, int8: 20, int4: 23, float8: 701, uuid: 2950 } as const;

/** How the elements of an array of one type are written. */
interface ElementForm<T> {
  readonly type: keyof typeof OID;
  readonly size: (value: T) => number;
  readonly write: (target: Buffer, offset: number, value: T) => void;
  readonly text: (value: T) => string;
}

export function integer(value: number): Param {
  return { value: String(value), literal: () => String(value) };
}

export function bytes(value: Uint8Array | null): Param {
  if (value === null) return { value, literal: () => 'NULL::bytea' };
  const buffer = asBuffer(value);
  return { value: buffer, literal: () => `decode('${buffer.toString('hex')}', 'hex')` };
}

export function text(value: string): Param {
  return {
    value,
    literal: () => `convert_from(decode('${Buffer.from(value).toString('hex')}', 'hex'), 'UTF8')`,
  };
}

const INT4: ElementForm<number> = {
  type: 'int4',
  size: () => 4,
  write: (target, offset, value) => target.writeInt32BE(value, offset),
  text: String,
};

const INT8: ElementForm<number> = {
  type: 'int8',
  size: () => 8,
  write: (target, offset, value) => target.writeBigInt64BE(BigInt(value), offset),
  text: String,
};

const FLOAT8: ElementForm<number> = {
  type: 'float8',
  size: () => 8,
  write: (target, offset, value) => target.writeDoubleBE(value, offset),
  text: String,
};

const BYTEA: ElementForm<Uint8Array> = {
  type: 'bytea',
  size: (value) => value.length,
  write: (target, offset, value) => target.set(value, offset),
  // One backslash for the bytes, doubled for the array, doubled for the string.
  text: (value) => `"\\\\\\\\x${asBuffer(value).toString('hex')}"`,
};

const UUID: ElementForm<Uint8Array> = {
  type: 'uuid',
  size: () => 16,
  write: (target, offset, value) => target.set(value, offset),
  text: (value) => asBuffer(value).toString('hex'),
};

export const int4s = arrayOf(INT4);
export const int8s = arrayOf(INT8);
export const float8s = arrayOf(FLOAT8);
export const byteas = arrayOf(BYTEA);
/** Of 16 bytes each. */
export const uuids = arrayOf(UUID);

function arrayOf<T>(form: ElementForm<T>) {
  return (values: readonly (T | undefined)[]): Param => ({
    value: binaryArray(form, values),
    literal: () =>
      `E'{${values.map((value) => (value === undefined ? 'NULL' : form.text(value))).join(',')}}'::${form.type}[]`,
  });
}

/** As `array_send` writes one. */
function binaryArray<T>({ type, size, write }: ElementForm<T>, values: readonly (T | undefined)[]): Buffer {
  const body = values.reduce((sum: number, value) => sum + 4 + (value === undefined ? 0 : size(value)), 0);
  const dimensions = values.length === 0 ? 0 : 1;
  const target = Buffer.allocUnsafe(12 + 8 * dimensions + body);
  target.writeInt32BE(dimensions, 0);
  target.writeInt32BE(values.includes(undefined) ? 1 : 0, 4);
  target.writeInt32BE(OID[type], 8);
  if (dimensions === 0) return target;
  target.writeInt32BE(values.length, 12);
  target.writeInt32BE(1, 16);
  let offset = 20;
  for (const value of values) {
    const length = value === undefined ? -1 : size(value);
    target.writeInt32BE(length, offset);
    offset += 4;
    if (value === undefined) continue;
    write(target, offset, value);
    offset += length;
  }
  return target;
}

function asBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
