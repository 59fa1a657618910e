import { connect, type ChannelModel } from 'amqplib';
import type { Clock } from '@mississippi/core/transport';
import type { Endpoint } from '../options/endpoint.js';
import type { Settings } from '../options/settings.js';
import { passKeysThrough } from '../wire/pass-keys-through.js';
import { bearErrorsLike, bearFirstErrors } from './first-errors.js';
import { ignoreLateFrames } from './late-frames.js';
import { writeTogether, type CorkableStream } from '../wire/write-together.js';

/** The stream below a connection, as far as anybody but amqplib uses it. */
interface OpenStream extends CorkableStream {
  read(size?: number): Buffer | null;
  destroy(cause?: Error): void;
  destroySoon(): void;
  on(event: 'readable', listener: () => void): unknown;
}

/** What amqplib 2.3 keeps on the connection of a model; its types leave it out. */
interface Inner {
  readonly stream: OpenStream;
  /** What it has not decoded yet. */
  readonly rest: Buffer;
  /** Whether it is closed. */
  readonly expectSocketClose: boolean;
  /** Seconds; 0 for none. */
  readonly heartbeat: number;
  readonly frameMax: number;
  readonly channelMax: number;
}

/** What broker and client agreed upon when they connected. */
export interface Limits {
  /** Milliseconds; 0 for none. */
  readonly heartbeat: number;
  /** Largest frame. Bytes. */
  readonly frameMax: number;
  readonly channelMax: number;
}

/**
 * Opens a connection by amqplib, on a stream that carries sharding keys as they are and writes in few calls. Whatever ends
 * the attempt, nothing is left of its socket.
 * @param closing ends the attempt
 */
export async function openModel(
  endpoint: Endpoint,
  { tls }: Settings,
  purpose: string,
  clock: Clock,
  closing: AbortSignal,
): Promise<ChannelModel> {
  const attempt = new AbortController();
  const { signal } = attempt;
  const abort = (): void => attempt.abort(new Error('the app is shutting down'));
  const { connectTimeout } = endpoint;
  // amqplib's own time-out begins anew with each byte that comes.
  const timer = clock.after(connectTimeout, () => attempt.abort(new Error(`no answer within ${connectTimeout} ms`)));
  closing.addEventListener('abort', abort);
  try {
    if (closing.aborted) abort();
    signal.throwIfAborted();
    const socketOptions = { ...tls, noDelay: true, clientProperties: { connection_name: purpose }, signal };
    bearFirstErrors();
    const model = await connect(endpoint.address(), socketOptions);
    bearErrorsLike(model);
    model.on('error', () => undefined); // Without a listener it would end the process; whoever adopts it has others.
    const { stream, rest } = innerOf(model);
    // The broker may have closed it in the packet that opened it. amqplib has told so before anybody could listen.
    if (isClosed(model)) await model.close();
    writeTogether(stream);
    passKeysThrough(stream, rest);
    ignoreLateFrames(model);
    return model;
  } catch (error) {
    const cause: unknown = signal.aborted ? signal.reason : error;
    attempt.abort(cause);
    throw cause;
  } finally {
    timer.cancel();
    closing.removeEventListener('abort', abort);
  }
}

/** Ends what is left of a connection at once; for a peer that no longer answers. With the cause amqplib ends its part. */
export function destroy(model: ChannelModel, cause: Error): void {
  innerOf(model).stream.destroy(cause);
}

/** Ends the socket of a connection that was closed in order, when everything is written. */
export function end(model: ChannelModel): void {
  innerOf(model).stream.destroySoon();
}

/** Calls back whenever something has come from the broker. */
export function onHeard(model: ChannelModel, heard: () => void): void {
  innerOf(model).stream.on('readable', heard);
}

/** Whether it is closed; rejects then, as amqplib 2.3 does, {@link ChannelModel.close} with the reason. */
export function isClosed(model: ChannelModel): boolean {
  return innerOf(model).expectSocketClose;
}

export function limitsOf(model: ChannelModel): Limits {
  const { heartbeat, frameMax, channelMax } = innerOf(model);
  return { heartbeat: heartbeat * 1_000, frameMax, channelMax };
}

function innerOf(model: ChannelModel): Inner {
  return model.connection as unknown as Inner;
}
