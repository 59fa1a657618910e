import {
  decodeShardingKey,
  NOTE_HEADERS,
  type DataUpdaterService,
  type DeadLetterReason,
  type MemoryDeadLetter,
  type MessageHeaders,
  type PublishOptions,
  type ShardingKey,
} from '@mississippi/core';
import { isSameKey } from './same-key.js';
import type { FailOptions, Hang, HangOptions } from './callback-faults.js';
import type { InstanceWorld } from './instance-world.js';
import type { JournalEntry, PublishedMessage } from './journal-entry.interface.js';

/**
 * What a test says of a message besides key and payload: as `EventsProducer.publish`.
 * @publicApi
 */
export type SendOptions = Omit<PublishOptions, 'shardingKey' | 'transaction'>;

/**
 * What a test says of a signal besides key and value: as `DataUpdaterService.handleSignal`.
 * @publicApi
 */
export type SignalOptions = NonNullable<Parameters<DataUpdaterService['handleSignal']>[2]>;

/**
 * What became of a message, or of its attempt, in the words of the journal.
 * @publicApi
 */
export type Outcome =
  'handled' | 'skipped' | 'retried' | 'discarded' | 'exhausted' | 'abandoned' | 'deadLettered' | 'parked';

const OUTCOMES: readonly string[] = [
  'handled',
  'skipped',
  'retried',
  'discarded',
  'exhausted',
  'abandoned',
  'deadLettered',
  'parked',
] satisfies Outcome[];

/**
 * A message among the dead letters.
 * @publicApi
 */
export interface HarnessDeadLetter {
  /** `undefined` where it has none that can be read. */
  readonly key: ShardingKey | undefined;
  /** As the instance's format reads it; `undefined` where it cannot: see `body`. */
  readonly payload: unknown;
  readonly body: Uint8Array;
  readonly reason: DeadLetterReason;
  /** What the handler gave as the reason, or threw, in words. */
  readonly error: string | undefined;
  readonly attempts: number;
  readonly type: string | undefined;
  readonly messageId: string | undefined;
  readonly headers: MessageHeaders;
}

/**
 * A key whose messages lie in the side queue.
 * @publicApi
 */
export interface ParkedKey {
  readonly key: ShardingKey;
  /** How many. */
  readonly messages: number;
  /** What the last attempt at the first of them failed with, in this process. */
  readonly lastError: unknown;
}

/**
 * One instance of the module in a test: what is sent to it, what came of it, and what is to go wrong.
 * @publicApi
 */
export class InstanceHarness {
  /** @internal */
  constructor(private readonly find: () => InstanceWorld) {}

  /**
   * Publishes a message for the instance's handler, as a producer elsewhere would. Resolves with its id when the broker has taken
   * it; what it sets off has not ended by then: await `settled()`.
   * @throws what `EventsProducer.publish` throws
   */
  async send(key: ShardingKey, payload: unknown, options: SendOptions = {}): Promise<string> {
    const { instance, own, shared } = this.find();
    const messageId = options.messageId ?? `test-${(shared.sent += 1)}`;
    own.add(messageId);
    await instance.producer.publish(payload, { ...options, messageId, shardingKey: key });
    return messageId;
  }

  /**
   * Sends a signal and resolves with the answer.
   * @throws what `DataUpdaterService.handleSignal` throws
   */
  async signal<Answer = unknown>(key: ShardingKey, signal?: unknown, options?: SignalOptions): Promise<Answer> {
    return this.find().instance.dataUpdaters.handleSignal(key, signal, options);
  }

  /** The state of a key: that of its live data updater, else the stored one, else `undefined`. Do not change it. */
  async state<State = unknown>(key: ShardingKey): Promise<State | undefined> {
    const { instance, life } = this.find();
    const live = instance.liveState(key);
    if (live !== undefined) return live.state as State;
    return life.store === undefined ? undefined : instance.dataUpdaters.state<State>(key);
  }

  /** What happened to the instance, in order. */
  get journal(): readonly JournalEntry[] {
    const { name, shared } = this.find();
    return shared.journal.filter(({ instance }) => instance === name);
  }

  /** What became of a key's messages and attempts, in order: `['retried', 'handled']`. The journal says more. */
  outcomes(key: ShardingKey): Outcome[] {
    return this.journal
      .filter((entry) => 'key' in entry && isSameKey(entry.key, key) && OUTCOMES.includes(entry.type))
      .map(({ type }) => type as Outcome);
  }

  /** The dead letters, oldest first. */
  deadLetters(): HarnessDeadLetter[] {
    const world = this.find();
    return world.broker.deadLetters.map((letter) => readLetter(letter, (body) => world.payloadOf(body)));
  }

  /** The keys that are parked. */
  parked(): ParkedKey[] {
    return [...this.find().instance.dataUpdaters.liveKeys()]
      .filter(({ state, parked }) => parked > 0 || state === 'parked')
      .map(({ key, parked, lastError }) => ({ key, messages: parked, lastError }));
  }

  /** What handlers and services published for this instance, in order. What the test sent is not among it. */
  published(): readonly PublishedMessage[] {
    return this.find().messages;
  }

  /**
   * The next calls of a callback hang, of one key.
   * @example const { reached, release } = harness.hang('order-1');
   */
  hang(key: ShardingKey, options: HangOptions = {}): Hang {
    return this.find().faults.hang(key, options);
  }

  /**
   * The next calls of a callback fail, of one key, without entering your code: a failing `init`, say.
   * @example harness.fail('order-1', { callback: 'init', times: 3 });
   */
  fail(key: ShardingKey, options: FailOptions = {}): void {
    this.find().faults.fail(key, options);
  }

  /**
   * Another process might own the key's shard from now on: its data updaters are gone, abort signals fire, what runs settles
   * nothing. The app owns the shard again at once, and what was not settled comes again.
   */
  loseShard(key: ShardingKey): void {
    const { instance, broker } = this.find();
    broker.loseShard(instance.dataUpdaters.shardOf(key));
  }

  /**
   * The broker delivers a message once more, as after a lost confirm: `redelivered` is `true`.
   * @throws {RangeError} when no message with the id was sent or published
   */
  redeliver(messageId: string): void {
    this.again(messageId, true);
  }

  /**
   * Its producer publishes a message twice, with one id.
   * @throws {RangeError} when no message with the id was sent or published
   */
  duplicate(messageId: string): void {
    this.again(messageId, false);
  }

  private again(messageId: string, redelivered: boolean): void {
    const { known, broker, shared } = this.find();
    const message = known.get(messageId);
    if (message === undefined) throw new RangeError(`No message with the id ${messageId} was sent or published here.`);
    broker.inject(message.shard, { ...message, redelivered });
    shared.activity.touch();
  }
}

function readLetter(letter: MemoryDeadLetter, payloadOf: (body: Uint8Array) => unknown): HarnessDeadLetter {
  const { key, body, headers, messageId, properties } = letter;
  const error = headers[NOTE_HEADERS.error];
  return {
    key: keyOf(key),
    payload: payloadOf(body),
    body,
    reason: headers[NOTE_HEADERS.reason] as DeadLetterReason,
    error: typeof error === 'string' ? error : undefined,
    attempts: Number(headers[NOTE_HEADERS.attempts] ?? 0),
    type: properties?.type,
    messageId,
    headers,
  };
}

function keyOf(key: Uint8Array | undefined): ShardingKey | undefined {
  try {
    return key && decodeShardingKey(key);
  } catch {
    return undefined;
  }
}
