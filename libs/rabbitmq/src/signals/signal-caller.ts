import { randomUUID } from 'node:crypto';
import {
  NoOwnerError,
  RemoteSignalError,
  SignalOutcomeUnknownError,
  SignalTimeoutError,
  SignalTooLargeError,
} from '@mississippi/core';
import type { Clock, Timer, WaitingCallback } from '@mississippi/core/transport';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { onChannel } from '../connection/channels.js';
import { REPLY_TO } from '../connection/direct-reply.js';
import { LazyChannel } from '../connection/lazy-channel.js';
import { every } from '../connection/timers.js';
import { codeOf, NOT_FOUND } from '../errors/reply-codes.js';
import type { QueueNames } from '../topology/queue-names.js';
import { asBuffer } from '../wire/as-buffer.js';
import { decodeReply, requestProperties } from './signal-messages.js';

/** How often a caller looks whether the process that accepted its signal still lives. Milliseconds. */
const LIFE_CHECK = 500;

interface Call {
  readonly key: Uint8Array;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
  /** The queue that lives as long as the process which started the signal; `undefined` before. */
  process: string | undefined;
  lifeCheck: Timer | undefined;
}

/** Sends signals to other processes: into the shard's queue of requests, which its owner reads. Answers come by direct reply-to. */
export class SignalCaller {
  private readonly calls = new Map<string, Call>();
  private readonly channel: LazyChannel;

  constructor(
    /** The connection that publishes. */
    private readonly connection: BrokerConnection,
    private readonly names: QueueNames,
    /** Bytes of one signal. */
    private readonly limit: number,
    private readonly clock: Clock,
    /** A key for errors. */
    private readonly keyText: (key: Uint8Array) => string,
  ) {
    this.channel = new LazyChannel(connection, {
      prepare: (channel) => this.listen(channel),
      lost: () => this.interrupted(),
    });
  }

  /**
   * Resolves with the answer of whichever process owns the shard.
   * @param timeout milliseconds
   * @throws {SignalTooLargeError} when the signal or its answer is larger than the broker takes
   * @throws {SignalTimeoutError} when there is no answer in time, or no connection
   * @throws {NoOwnerError} when no process owned the shard until the time-out
   * @throws {SignalOutcomeUnknownError} when the owner ended after it had accepted the signal, or the connection went
   * @throws {RemoteSignalError} when the owner could not read the request
   */
  async send(
    shard: number,
    key: Uint8Array,
    signal: Uint8Array,
    timeout: number,
    waiting: readonly WaitingCallback[],
  ): Promise<Uint8Array> {
    if (signal.length > this.limit) throw new SignalTooLargeError('signal', signal.length, this.limit);
    const deadline = this.clock.now() + timeout;
    if (this.connection.current === undefined) throw new SignalTimeoutError(this.keyText(key), timeout, false);
    const channel = await this.channel.get();
    const left = Math.max(1, deadline - this.clock.now());
    const id = randomUUID();
    return new Promise((resolve, reject) => {
      const timer = this.clock.after(left, () => void this.expire(id, shard, timeout));
      this.calls.set(id, { key, resolve, reject, timer, process: undefined, lifeCheck: undefined });
      const properties = requestProperties(id, { key, timeout: left, waiting });
      channel.publish('', this.names.signals(shard), asBuffer(signal), properties);
    });
  }

  private async listen(channel: Channel): Promise<void> {
    await channel.consume(REPLY_TO, (message) => message !== null && this.replied(message), { noAck: true });
  }

  private replied(message: ConsumeMessage): void {
    const id = String(message.properties.correlationId);
    const call = this.calls.get(id);
    if (call === undefined) return; // Its caller did not wait so long.
    const reply = decodeReply(message);
    if (reply.kind === 'started') {
      call.process = reply.process;
      call.lifeCheck = every(this.clock, LIFE_CHECK, () => void this.checkLife(id, reply.process));
      return;
    }
    this.take(id);
    if (reply.kind === 'answer') call.resolve(reply.answer);
    else if (reply.kind === 'tooLarge') call.reject(new SignalTooLargeError('answer', reply.size, reply.limit));
    else call.reject(new RemoteSignalError('Error', reply.message, undefined));
  }

  private async expire(id: string, shard: number, timeout: number): Promise<void> {
    const call = this.take(id);
    if (call === undefined) return;
    const key = this.keyText(call.key);
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
      return (await onChannel(model, (channel) => channel.checkQueue(this.names.signals(shard)))).consumerCount;
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
      const call = this.take(id);
      call?.reject(new SignalOutcomeUnknownError(this.keyText(call.key)));
    }
  }

  /** Ends the wait for a call. */
  private take(id: string): Call | undefined {
    const call = this.calls.get(id);
    if (call === undefined) return undefined;
    this.calls.delete(id);
    call.timer.cancel();
    call.lifeCheck?.cancel();
    return call;
  }

  /** Answers go to the channel that asked; without it nobody will know. */
  private interrupted(): void {
    for (const [id, call] of this.calls) {
      this.take(id);
      call.reject(new SignalOutcomeUnknownError(this.keyText(call.key)));
    }
  }
}
