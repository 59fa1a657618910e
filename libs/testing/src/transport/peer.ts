import assert from 'node:assert/strict';
import type { OutgoingMessage, Publisher, TransportConnection } from '@mississippi/core/transport';
import type { TransportHarness } from './harness.js';
import type { Journal } from '../conformance/journal.js';
import type { RecordedSession } from './recorded-session.js';
import type { ShardRecorder } from './shard-recorder.js';

/** One connection of a case, with what its consumer recorded. */
export class Peer {
  private ended = false;

  constructor(
    readonly name: string,
    readonly connection: TransportConnection,
    readonly recorder: ShardRecorder,
    private readonly harness: TransportHarness,
    private readonly journal: Journal,
  ) {}

  get publisher(): Publisher {
    return this.connection.publisher;
  }

  get isEnded(): boolean {
    return this.ended;
  }

  async consume(): Promise<this> {
    await this.journal.settled(`${this.name} to consume`, this.connection.consume(this.recorder));
    return this;
  }

  /** The shard's open session, as soon as there is one. */
  session(shard: number): Promise<RecordedSession> {
    return this.recorder.session(shard);
  }

  /** Publishes without waiting in between, then waits until all are taken. */
  async publish(...messages: OutgoingMessage[]): Promise<void> {
    const what = messages.length === 1 ? `the publish of ${messages[0]!.messageId}` : `${messages.length} publishes`;
    const published = messages.map(async (message) => {
      await this.publisher.publish(message, Infinity);
      this.journal.wake();
    });
    await this.journal.settled(what, Promise.all(published));
  }

  /** Ends the epoch of a shard from outside, and waits until its owner was told. Needs the capability `loseShard`. */
  async lose(shard: number): Promise<RecordedSession> {
    const session = await this.takeAway(shard);
    await session.wasLost();
    return session;
  }

  /** Ends the epoch of a shard from outside. Needs the capability `loseShard`. */
  async takeAway(shard: number): Promise<RecordedSession> {
    const session = await this.session(shard);
    session.losing();
    assert.ok(this.harness.loseShard !== undefined, 'the case must need loseShard');
    await this.harness.loseShard(this.connection, shard);
    return session;
  }

  async close(): Promise<void> {
    this.ended = true;
    this.recorder.closing();
    await this.journal.settled(`${this.name} to close`, this.connection.close());
    this.journal.note(`${this.name} was closed`);
  }

  async crash(): Promise<void> {
    this.ended = true;
    this.recorder.crash();
    await this.journal.settled(`${this.name} to crash`, this.harness.crash(this.connection));
    this.recorder.dead();
    this.journal.note(`${this.name} crashed`);
  }
}
