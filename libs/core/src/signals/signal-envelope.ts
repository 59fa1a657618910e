import { isUtf8 } from 'node:buffer';
import { describe } from '../errors/describe.js';
import { SignalDecodeError } from '../errors/index.js';
import { carry, revive, type CarriedError } from './carried-error.js';

/** How much larger a signal or an answer is as a transport carries it. Bytes. */
export const ENVELOPE = 1;

/** The first byte says what follows. */
const Kind = {
  /** Nothing: the value is `undefined`. */
  Nothing: 0,
  /** The value, as the codec wrote it. */
  Value: 1,
  /** A {@link CarriedError}, in JSON. */
  Error: 2,
  /** A name of so many bytes as the next byte says, in UTF-8, and then what would be there without a name. Of signals only. */
  Named: 3,
} as const;

/** A signal on its way to the handler. */
export interface SignalRequest {
  readonly name?: string | undefined;
  /** Encoded; `undefined` for a signal that is `undefined`. */
  readonly value: Uint8Array | undefined;
}

/** How much larger a name makes a signal. Bytes. */
export function nameSize(name: string | undefined): number {
  return name === undefined ? 0 : Buffer.byteLength(name) + 2;
}

/** A signal, as a transport carries it: without a name as ever. */
export function packSignal({ name, value }: SignalRequest): Uint8Array {
  const inner = pack(value);
  if (name === undefined) return inner;
  const text = Buffer.from(name);
  return Buffer.concat([Uint8Array.of(Kind.Named, text.length), text, inner]);
}

/** An answer, as a transport carries it. */
export function pack(value: Uint8Array | undefined): Uint8Array {
  return value === undefined ? Uint8Array.of(Kind.Nothing) : withKind(Kind.Value, value);
}

/** What a caller is refused with, as a transport carries it. */
export function packError(error: unknown): Uint8Array {
  return withKind(Kind.Error, Buffer.from(JSON.stringify(carry(error))));
}

/** @throws {SignalDecodeError} when the bytes are no signal */
export function unpackSignal(bytes: Uint8Array): SignalRequest {
  if (bytes[0] !== Kind.Named) return { value: unpackValue(bytes) };
  const end = 2 + (bytes[1] ?? 0);
  const name = bytes.subarray(2, end);
  if (name.length === 0 || bytes.length <= end || !isUtf8(name)) throw unknownKind('signal', bytes);
  return { name: Buffer.from(name).toString(), value: unpackValue(bytes.subarray(end)) };
}

function unpackValue(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes[0] === Kind.Error) throw unknownKind('signal', bytes);
  return unpack('signal', bytes);
}

/**
 * @throws {SignalDecodeError} when the bytes are no answer
 * @throws what the handler's side refused the signal with
 */
export function unpackAnswer(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes[0] !== Kind.Error) return unpack('answer', bytes);
  let carried: CarriedError;
  try {
    carried = JSON.parse(Buffer.from(bytes.subarray(ENVELOPE)).toString()) as CarriedError;
  } catch (error) {
    throw new SignalDecodeError('answer', error);
  }
  throw revive(carried);
}

function unpack(part: 'signal' | 'answer', bytes: Uint8Array): Uint8Array | undefined {
  if (bytes[0] === Kind.Nothing && bytes.length === 1) return undefined;
  if (bytes[0] !== Kind.Value) throw unknownKind(part, bytes);
  return bytes.subarray(ENVELOPE);
}

function unknownKind(part: 'signal' | 'answer', bytes: Uint8Array): SignalDecodeError {
  return new SignalDecodeError(part, `${bytes.length} bytes of the kind ${describe(bytes[0])}, which is unknown`);
}

function withKind(kind: number, body: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(body.length + ENVELOPE);
  bytes[0] = kind;
  bytes.set(body, ENVELOPE);
  return bytes;
}
