import { SignalDecodeError } from '../errors/index.js';
import { Kind, pack, unpackAnswer, withKind } from './signal-envelope.js';

/** What an operator asks of the owner of a shard. Actions change something, looks do not. */
export type OperatorRequest =
  | { readonly call: 'key' | 'watch' }
  | { readonly call: 'keys'; readonly troubled: boolean; readonly limit: number }
  | { readonly call: 'shard'; readonly over: number }
  | { readonly call: 'pause' | 'resume' | 'deactivate' }
  | { readonly call: 'retry' | 'drop'; readonly messageId?: string | undefined }
  | { readonly call: 'dropAll'; readonly most: number; readonly messageId?: string | undefined }
  | ({ readonly call: 'editState'; readonly state: PackedState } & StateChangeRequest)
  | ({ readonly call: 'forgetState' } & StateChangeRequest);

/** Of the state that is to be there: 0 for none. */
interface StateChangeRequest {
  readonly version: number;
  readonly by: string;
  readonly reason: string;
}

/** A state as it travels: as the codec has it, in base64, since JSON has neither dates nor bytes. */
interface PackedState {
  readonly bytes: string;
  /** The version of its form; left out for the owner's. */
  readonly form?: number | undefined;
}

export type OperatorCall = OperatorRequest['call'];

const LOOKS: readonly OperatorCall[] = ['key', 'watch', 'keys', 'shard'];

export function isAction({ call }: OperatorRequest): boolean {
  return !LOOKS.includes(call);
}

/** A request, as a transport carries it: a signal of a kind that no handler ever sees. */
export function packOperatorRequest(request: OperatorRequest): Uint8Array {
  return withKind(Kind.Operator, Buffer.from(JSON.stringify(request)));
}

/** Whether a signal is none for a handler. */
export function isOperatorRequest(signal: Uint8Array): boolean {
  return signal[0] === Kind.Operator;
}

/** @throws {SignalDecodeError} when it is none that this version knows */
export function unpackOperatorRequest(signal: Uint8Array): OperatorRequest {
  try {
    return JSON.parse(Buffer.from(signal.subarray(1)).toString()) as OperatorRequest;
  } catch (error) {
    throw new SignalDecodeError('signal', error);
  }
}

/** An answer, as a transport carries it. */
export function packOperatorAnswer(answer: object): Uint8Array {
  return pack(Buffer.from(JSON.stringify(answer)));
}

/** @throws what the owner refused the request with */
export function unpackOperatorAnswer(bytes: Uint8Array): unknown {
  const answer = unpackAnswer(bytes);
  return JSON.parse(Buffer.from(answer ?? []).toString()) as unknown;
}
