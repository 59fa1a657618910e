import { isUtf8 } from 'node:buffer';
import { describe } from '../errors/describe.js';
import { SignalDecodeError } from '../errors/index.js';
import { isObject } from '../is-object.js';
import type { TraceHeaders } from '../telemetry/telemetry.interface.js';
import { carry, revive, type CarriedError } from './carried-error.js';

/** How much larger a signal or an answer is as a transport carries it. Bytes. */
export const ENVELOPE = 1;

/** The first byte says what follows. */
export const Kind = {
  /** Nothing: the value is `undefined`. */
  Nothing: 0,
  /** The value, as the codec wrote it. */
  Value: 1,
  /** A {@link CarriedError}, in JSON. */
  Error: 2,
  /** A name of so many bytes as the next byte says, in UTF-8, and then what would be there without a name. Of signals only. */
  Named: 3,
  /** What an operator asks, in JSON: of signals only, and never for a handler. */
  Operator: 4,
  /** So many bytes as the next two say, in JSON: what its traces need; and then what would be there without. Of signals only. */
  Traced: 5,
} as const;

/** What traces may add to a signal. Bytes. */
const MOST_CARRIED = 0xff_ff;

/** A signal on its way to the handler. */
export interface SignalRequest {
  readonly name?: string | undefined;
  /** What its traces need, where somebody records them. */
  readonly carried?: TraceHeaders | undefined;
  /** Encoded; `undefined` for a signal that is `undefined`. */
  readonly value: Uint8Array | undefined;
}

/** How much larger name and traces make a signal. Bytes. */
export function headSize({ name, carried }: Omit<SignalRequest, 'value'>): number {
  const named = name === undefined ? 0 : Buffer.byteLength(name) + 2;
  const traced = encodeCarried(carried);
  return named + (traced === undefined ? 0 : traced.length + 3);
}

/** A signal, as a transport carries it: without a name and without traces as ever. */
export function packSignal({ name, carried, value }: SignalRequest): Uint8Array {
  const traced = encodeCarried(carried);
  const parts: Uint8Array[] = [];
  if (traced !== undefined) parts.push(Uint8Array.of(Kind.Traced, traced.length >> 8, traced.length & 0xff), traced);
  if (name !== undefined) {
    const text = Buffer.from(name);
    parts.push(Uint8Array.of(Kind.Named, text.length), text);
  }
  const inner = pack(value);
  return parts.length === 0 ? inner : Buffer.concat([...parts, inner]);
}

/** `undefined` where there is nothing, or more than a signal carries: it goes without, then. */
function encodeCarried(carried: TraceHeaders | undefined): Buffer | undefined {
  if (carried === undefined) return undefined;
  const bytes = Buffer.from(JSON.stringify(carried));
  return bytes.length > MOST_CARRIED ? undefined : bytes;
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
  if (bytes[0] !== Kind.Traced) return unpackNamed(bytes);
  const end = 3 + (((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0));
  if (bytes.length <= end) throw unknownKind('signal', bytes);
  return { ...unpackNamed(bytes.subarray(end)), carried: decodeCarried(bytes.subarray(3, end)) };
}

/** What cannot be read says nothing of where the signal comes from, and is no reason to refuse it. */
function decodeCarried(bytes: Uint8Array): TraceHeaders | undefined {
  try {
    const carried: unknown = JSON.parse(Buffer.from(bytes).toString());
    return isObject(carried) ? (carried as TraceHeaders) : undefined;
  } catch {
    return undefined;
  }
}

function unpackNamed(bytes: Uint8Array): SignalRequest {
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

export function withKind(kind: number, body: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(body.length + ENVELOPE);
  bytes[0] = kind;
  bytes.set(body, ENVELOPE);
  return bytes;
}
