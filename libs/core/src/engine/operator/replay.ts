import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock/clock.interface.js';
import { ReplayStoppedError } from '../../errors/index.js';
import { keyId, shardOfEncoded } from '../../keys/sharding-key.js';
import { REPLAY_HEADER } from '../../note-headers.js';
import type { OutgoingMessage } from '../../transport/transport.interface.js';
import type { Letter } from './letter.js';

/** Messages that are under way at a time. */
const PARALLEL = 100;

/** What a replay works with. */
export interface ReplayParts {
  readonly clock: Clock;
  readonly totalCount: number;
  readonly publish: (message: OutgoingMessage) => Promise<void>;
  /** It is safe in its shard's queue. */
  readonly published: (letter: Letter) => void;
}

/**
 * Publishes dead letters to the ends of their keys' queues, in their order: of a key one at a time, so that none is published behind one
 * that was not taken.
 */
export class Replay {
  /** The last one under way of each key. */
  private readonly ofKey = new Map<string, Promise<void>>();
  private underWay = 0;
  /** Called when one fewer is under way. */
  private ended: () => void = () => undefined;
  private count = 0;
  private failure: unknown;

  constructor(private readonly parts: ReplayParts) {}

  /**
   * Resolves when there is room for the next one.
   * @throws {ReplayStoppedError} once one was not taken
   */
  async add(letter: Letter, key: Uint8Array): Promise<void> {
    await this.atMost(PARALLEL - 1);
    this.check();
    const id = keyId(key);
    const sent = this.send(letter, key, this.ofKey.get(id));
    this.ofKey.set(id, sent);
    this.underWay++;
    void sent.then(() => {
      this.underWay--;
      if (this.ofKey.get(id) === sent) this.ofKey.delete(id);
      this.ended();
    });
  }

  /**
   * Resolves when nothing is under way any more.
   * @throws {ReplayStoppedError} where one was not taken
   */
  async end(): Promise<void> {
    await this.atMost(0);
    this.check();
  }

  private async atMost(count: number): Promise<void> {
    while (this.underWay > count) await new Promise<void>((resolve) => (this.ended = resolve));
  }

  /** Never rejects. */
  private async send(letter: Letter, key: Uint8Array, before: Promise<void> | undefined): Promise<void> {
    await before;
    if (this.failure !== undefined) return;
    try {
      await this.parts.publish(this.messageOf(letter, key));
      this.count++;
      this.parts.published(letter);
    } catch (error) {
      this.failure ??= error;
    }
  }

  private messageOf({ delivery, headers, replays }: Letter, key: Uint8Array): OutgoingMessage {
    const { body, messageId = randomUUID(), properties } = delivery;
    const timestamp = delivery.timestamp ?? Math.floor(this.parts.clock.time() / 1_000);
    return {
      shard: shardOfEncoded(key, this.parts.totalCount),
      key,
      body,
      headers: { ...headers, [REPLAY_HEADER]: replays + 1 },
      messageId,
      timestamp,
      properties,
    };
  }

  private check(): void {
    if (this.failure !== undefined) throw new ReplayStoppedError(this.count, this.failure);
  }
}
