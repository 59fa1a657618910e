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
import { reply, REPLY_TO } from '../connection/direct-reply.js';
import { LazyChannel } from '../connection/lazy-channel.js';
import { within } from '../connection/timers.js';
import type { QueueNames } from '../topology/queue-names.js';
import { asBuffer } from '../wire/as-buffer.js';
import { ProcessWatch } from './process-watch.js';
import { CLOCK, decodeReply, encodeReading, requestProperties, type SignalReply } from './signal-messages.js';

/** How long a caller whose time is over waits to hear whether his signal ran: from the owner, or from the broker that there is none. Milliseconds. */
const LAST_WORD = 200;

/** What one is asked for. */
interface Wish {
  readonly shard: number;
  readonly key: Uint8Array;
  readonly signal: Uint8Array;
  /** As its caller gave it. Milliseconds. */
  readonly timeout: number;
  readonly waiting: readonly WaitingCallback[];
}

interface Call extends Wish {
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  /** When its caller stops waiting, on our clock. */
  readonly deadline: number;
  /** Of the request that is under way: another one each time that an owner returned it. */
  id: string;
  timer: Timer | undefined;
  /** Where the process that started the signal is reached, as long as it lives; `undefined` before. */
  owner: string | undefined;
}

/** Sends signals to other processes: into the shard's queue of requests, which its owner reads. Answers come by direct reply-to. */
export class SignalCaller {
  private readonly calls = new Map<string, Call>();
  private readonly channel: LazyChannel;
  private readonly watch: ProcessWatch;
  /** Names our clock. */
  private readonly clockName = randomUUID();
  /** What the broker was asked about each shard and has not answered yet. */
  private readonly asked = new Map<number, Promise<number | undefined>>();

  constructor(
    /** The connection that publishes. */
    private readonly connection: BrokerConnection,
    private readonly names: QueueNames,
    /** Bytes of one signal. */
    private readonly limit: number,
    private readonly clock: Clock,
    /** A key for errors. */
    private readonly keyText: (key: Uint8Array) => string,
    /** What the user lacks, where that is why the broker closed a channel; it is in the log then. */
    private readonly denied: (cause: Error | undefined) => Error | undefined,
  ) {
    this.channel = new LazyChannel(connection, {
      prepare: (channel) => this.listen(channel),
      lost: (cause) => this.interrupted(this.denied(cause)),
    });
    this.watch = new ProcessWatch(connection, clock, (id) => {
      const call = this.take(id);
      call?.reject(new SignalOutcomeUnknownError(this.keyText(call.key)));
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
   * @throws {RabbitMqAccessError} when the user may publish no more
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
    const channel = await this.open(key, timeout);
    return new Promise((resolve, reject) => {
      const wish = { shard, key, signal, timeout, waiting };
      const call: Call = { ...wish, resolve, reject, deadline, id: '', timer: undefined, owner: undefined };
      call.timer = this.clock.after(this.left(call), () => void this.expire(call));
      this.request(channel, call);
    });
  }

  /** Sends a request, the first or another one. */
  private request(channel: Channel, call: Call): void {
    const { key, signal, shard, deadline, waiting } = call;
    call.id = randomUUID();
    this.calls.set(call.id, call);
    const properties = requestProperties(call.id, {
      key,
      timeout: this.left(call),
      deadline: deadline === Infinity ? undefined : { at: Math.floor(deadline), clock: this.clockName },
      waiting,
    });
    channel.publish('', this.names.signals(shard), asBuffer(signal), properties);
  }

  /** Milliseconds. */
  private left({ deadline }: Call): number {
    return Math.max(1, deadline - this.clock.now());
  }

  /** A broker that does not answer, because it blocks or is frozen, keeps no caller longer than he waits. */
  private async open(key: Uint8Array, timeout: number): Promise<Channel> {
    try {
      return await within(this.clock, timeout, this.channel.get());
    } catch {
      throw new SignalTimeoutError(this.keyText(key), timeout, false);
    }
  }

  private async listen(channel: Channel): Promise<void> {
    const came = (message: ConsumeMessage): void => {
      if (message.properties.type === CLOCK) this.tellTime(channel, message);
      else this.replied(channel, message);
    };
    await channel.consume(REPLY_TO, (message) => message !== null && came(message), { noAck: true });
  }

  private tellTime(channel: Channel, question: ConsumeMessage): void {
    const reading = { clock: this.clockName, reading: this.clock.now() };
    reply(channel, question, encodeReading(reading), CLOCK);
  }

  private replied(channel: Channel, message: ConsumeMessage): void {
    const id = String(message.properties.correlationId);
    const call = this.calls.get(id);
    if (call === undefined) return; // Its caller did not wait so long.
    const reply = decodeReply(message);
    switch (reply.kind) {
      case 'started':
        call.owner = reply.address;
        if (this.isOver(call)) this.timedOut(call, true);
        else this.watch.begin(reply.address, id);
        break;
      case 'returned':
        if (this.isOver(call)) {
          this.timedOut(call, false);
        } else {
          this.calls.delete(id);
          this.request(channel, call);
        }
        break;
      default:
        this.take(id);
        this.end(call, reply);
    }
  }

  private end(call: Call, reply: Exclude<SignalReply, { kind: 'started' | 'returned' }>): void {
    switch (reply.kind) {
      case 'answer':
        call.resolve(reply.answer);
        break;
      case 'tooLarge':
        call.reject(new SignalTooLargeError('answer', reply.size, reply.limit));
        break;
      case 'unknown':
        call.reject(new SignalOutcomeUnknownError(this.keyText(call.key)));
        break;
      default:
        call.reject(new RemoteSignalError('Error', reply.message, undefined));
    }
  }

  private isOver({ deadline }: Call): boolean {
    return this.clock.now() >= deadline;
  }

  /** Whose time is over hears whether his signal ran, if that is known or can be found out soon. */
  private async expire(call: Call): Promise<void> {
    if (call.owner !== undefined) {
      this.timedOut(call, true);
      return;
    }
    const { id, key, shard, timeout } = call;
    call.timer = this.clock.after(LAST_WORD, () => this.timedOut(call, undefined));
    if ((await this.consumers(shard)) !== 0) return; // The owner says it: its time for the signal ends with its caller's.
    if (this.calls.get(id) === call) this.take(id)!.reject(new NoOwnerError(this.keyText(key), shard, timeout));
  }

  /** @param started whether the signal did, as far as anybody said */
  private timedOut(call: Call, started: boolean | undefined): void {
    this.take(call.id);
    call.reject(new SignalTimeoutError(this.keyText(call.key), call.timeout, started));
  }

  /** Consumers of a shard's requests; `undefined` when the broker does not say, or not soon. Asked once for all who ask at once. */
  private consumers(shard: number): Promise<number | undefined> {
    const asked = this.asked.get(shard);
    if (asked !== undefined) return asked;
    const answer = within(this.clock, LAST_WORD, this.countConsumers(shard))
      .catch(() => undefined)
      .finally(() => this.asked.delete(shard));
    this.asked.set(shard, answer);
    return answer;
  }

  private async countConsumers(shard: number): Promise<number | undefined> {
    const model = this.connection.current;
    if (model === undefined) return undefined;
    return (await onChannel(model, (channel) => channel.checkQueue(this.names.signals(shard)))).consumerCount;
  }

  /** Ends the wait for a call. */
  private take(id: string): Call | undefined {
    const call = this.calls.get(id);
    if (call === undefined) return undefined;
    this.calls.delete(id);
    call.timer?.cancel();
    if (call.owner !== undefined) this.watch.end(call.owner, id);
    return call;
  }

  /**
   * Answers go to the channel that asked; without it nobody will know.
   * @param denied what the user lacks: where one call was alone, it was not sent
   */
  private interrupted(denied: Error | undefined): void {
    const alone = this.calls.size === 1;
    for (const [id, call] of this.calls) {
      this.take(id);
      const unsent = alone && call.owner === undefined ? denied : undefined;
      call.reject(unsent ?? new SignalOutcomeUnknownError(this.keyText(call.key)));
    }
  }
}
