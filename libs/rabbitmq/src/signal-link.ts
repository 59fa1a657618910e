import { randomUUID } from 'node:crypto';
import {
  decodeShardingKey,
  inspectKey,
  NoOwnerError,
  RemoteSignalError,
  ShardNotOwnedError,
  ShuttingDownError,
  SignalEncodeError,
  SignalOutcomeUnknownError,
  SignalTimeoutError,
} from '@mississippi/core';
import type { ShardReceiver } from '@mississippi/core/transport';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from './broker-connection.js';
import { KEY_HEADER } from './headers.js';
import { asBuffer } from './publisher.js';
import { codeOf, onChannel, type Topology } from './topology.js';

const REPLY_TO = 'amq.rabbitmq.reply-to';
const NOT_FOUND = 404;

/** How often a caller looks whether the process that accepted its signal still lives. Milliseconds. */
const LIFE_CHECK = 500;

/** Owner to caller, in JSON. */
type Reply =
  | { readonly kind: 'started'; readonly process: string }
  | { readonly kind: 'answer'; readonly value?: unknown }
  | { readonly kind: 'error'; readonly name: string; readonly message: string; readonly code?: string };

interface Call {
  readonly key: Uint8Array;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  /** The queue that lives as long as the process which started the signal; `undefined` before. */
  process: string | undefined;
  lifeCheck: NodeJS.Timeout | undefined;
}

/**
 * Signals between processes: each shard has a queue of requests, which its owner reads; answers come by direct reply-to.
 * A request is acked when its handler is about to see it, so it runs at most once; before that it belongs to whoever owns
 * the shard.
 */
export class SignalLink {
  private readonly calls = new Map<string, Call>();
  private channel: Promise<Channel> | undefined;

  constructor(
    /** The connection that publishes. */
    private readonly connection: BrokerConnection,
    private readonly topology: Topology,
    /** Name of a queue that lives as long as this process consumes. */
    private readonly process: string,
  ) {
    connection.on('down', () => this.interrupted());
  }

  // ---- the caller

  async send(shard: number, key: Uint8Array, signal: unknown, timeout: number): Promise<unknown> {
    const body = encode('signal', { signal });
    const deadline = performance.now() + timeout;
    const channel = await this.open(key, timeout);
    const left = Math.max(1, Math.ceil(deadline - performance.now()));
    const id = randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => void this.expire(id, shard, timeout), Math.min(left, 2 ** 31 - 1));
      this.calls.set(id, { key, resolve, reject, timer, process: undefined, lifeCheck: undefined });
      channel.publish('', this.topology.signals(shard), body, {
        replyTo: REPLY_TO,
        correlationId: id,
        // An expired request must not run: its caller has gone.
        ...(timeout === Infinity ? {} : { expiration: left }),
        headers: { [KEY_HEADER]: asBuffer(key) },
      });
    });
  }

  private async open(key: Uint8Array, timeout: number): Promise<Channel> {
    const model = this.connection.current;
    if (model === undefined) throw new SignalTimeoutError(inspectKey(key), timeout, false);
    this.channel ??= this.openOn(model);
    return this.channel;
  }

  private async openOn(model: ChannelModel): Promise<Channel> {
    const channel = await model.createChannel();
    channel.on('error', () => undefined); // 'close' follows.
    channel.on('close', () => this.interrupted());
    await channel.consume(REPLY_TO, (message) => message !== null && this.replied(message), { noAck: true });
    return channel;
  }

  private replied(message: ConsumeMessage): void {
    const id = String(message.properties.correlationId);
    const call = this.calls.get(id);
    if (call === undefined) return; // Its caller did not wait so long.
    const reply = JSON.parse(message.content.toString()) as Reply;
    if (reply.kind === 'started') {
      call.process = reply.process;
      call.lifeCheck = setInterval(() => void this.checkLife(id, reply.process), LIFE_CHECK);
      return;
    }
    this.finish(id);
    if (reply.kind === 'answer') call.resolve(reply.value);
    else call.reject(new RemoteSignalError(reply.name, reply.message, reply.code));
  }

  private async expire(id: string, shard: number, timeout: number): Promise<void> {
    const call = this.finish(id);
    if (call === undefined) return;
    const key = inspectKey(call.key);
    if (call.process === undefined && (await this.consumers(shard)) === 0) {
      call.reject(new NoOwnerError(key, shard, timeout));
    } else {
      call.reject(new SignalTimeoutError(key, timeout, call.process !== undefined));
    }
  }

  /** Consumers of a shard's requests; `undefined` when the broker does not say. */
  private async consumers(shard: number): Promise<number | undefined> {
    const model = this.connection.current;
    if (model === undefined) return undefined;
    try {
      return (await onChannel(model, (channel) => channel.checkQueue(this.topology.signals(shard)))).consumerCount;
    } catch {
      return undefined;
    }
  }

  /** The queue of a process is exclusive: it answers "locked" while the process lives, and "not found" afterwards. */
  private async checkLife(id: string, process: string): Promise<void> {
    const model = this.connection.current;
    if (model === undefined) return;
    try {
      await onChannel(model, (channel) => channel.checkQueue(process));
    } catch (error) {
      if (codeOf(error) !== NOT_FOUND) return;
      const call = this.finish(id);
      call?.reject(new SignalOutcomeUnknownError(inspectKey(call.key)));
    }
  }

  private finish(id: string): Call | undefined {
    const call = this.calls.get(id);
    if (call === undefined) return undefined;
    this.calls.delete(id);
    clearTimeout(call.timer);
    clearInterval(call.lifeCheck);
    return call;
  }

  /** Answers go to the channel that asked; without it nobody will know. */
  private interrupted(): void {
    this.channel = undefined;
    for (const [id, call] of this.calls) {
      this.finish(id);
      call.reject(new SignalOutcomeUnknownError(inspectKey(call.key)));
    }
  }

  // ---- the owner

  /** Reads a shard's requests on the shard's own channel, so that what has not started returns with it. */
  async serve(channel: Channel, shard: number, receiver: ShardReceiver): Promise<void> {
    await channel.consume(this.topology.signals(shard), (message) => {
      if (message !== null) void this.answer(channel, receiver, message);
    });
  }

  private async answer(channel: Channel, receiver: ShardReceiver, message: ConsumeMessage): Promise<void> {
    let open = true;
    const ack = (): void => {
      if (!open) return;
      open = false;
      try {
        channel.ack(message);
      } catch {
        // The channel closed in this moment: the next owner gets the request again, unless it had started.
      }
    };
    const started = (): void => {
      ack();
      void this.reply(message, { kind: 'started', process: this.process });
    };
    try {
      const { key, signal, timeout } = requestOf(message);
      const value = await receiver.signal(key, signal, timeout, started);
      ack();
      await this.reply(message, { kind: 'answer', value });
    } catch (error) {
      if (open && (error instanceof ShardNotOwnedError || error instanceof ShuttingDownError)) return;
      ack();
      await this.reply(message, errorReply(error));
    }
  }

  private async reply(message: ConsumeMessage, reply: Reply): Promise<void> {
    const { replyTo, correlationId } = message.properties as { replyTo?: string; correlationId?: string };
    const model = this.connection.current;
    if (typeof replyTo !== 'string' || model === undefined) return;
    let body: Buffer;
    try {
      body = encode('answer', reply);
    } catch (error) {
      body = encode('answer', errorReply(error));
    }
    try {
      const channel = await (this.channel ??= this.openOn(model));
      channel.publish('', replyTo, body, correlationId === undefined ? {} : { correlationId });
    } catch {
      // The connection went in this moment; the caller's time-out tells.
    }
  }
}

function requestOf(message: ConsumeMessage): { key: Uint8Array; signal: unknown; timeout: number } {
  const key: unknown = message.properties.headers?.[KEY_HEADER];
  if (!(key instanceof Uint8Array)) throw new TypeError('the request has no sharding key');
  decodeShardingKey(key);
  const { signal } = JSON.parse(message.content.toString()) as { signal?: unknown };
  const expiration = Number(message.properties.expiration);
  return { key, signal, timeout: expiration > 0 ? expiration : Infinity };
}

function encode(what: 'signal' | 'answer', value: unknown): Buffer {
  try {
    return Buffer.from(JSON.stringify(value));
  } catch (error) {
    throw new SignalEncodeError(what, error);
  }
}

function errorReply(error: unknown): Reply {
  if (!(error instanceof Error)) return { kind: 'error', name: 'Error', message: String(error) };
  const code: unknown = Reflect.get(error, 'code');
  return {
    kind: 'error',
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
  };
}
