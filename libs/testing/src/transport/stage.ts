import assert from 'node:assert/strict';
import { PublishTimeoutError } from '@mississippi/core';
import type { OutgoingMessage } from '@mississippi/core/transport';
import type { RawMessage, TransportHarness } from './harness.js';
import { Journal } from '../conformance/journal.js';
import { keysOfShard, shardOfKey } from '../conformance/keys.js';
import { Peer } from './peer.js';
import type { RecordedSession } from './recorded-session.js';
import { ShardRecorder, type ShardRecorderOptions } from './shard-recorder.js';

export interface StageOptions {
  /** Number of shards. */
  readonly totalCount: number;
  /** Maximum number of unsettled deliveries per shard. */
  readonly prefetch: number;
  /** Told of each delivery, inside the transport's call. */
  readonly onDelivery?: (session: RecordedSession) => void;
}

/** What one connection of a case is like. */
export interface PeerOptions extends Pick<ShardRecorderOptions, 'onOpen' | 'onSignal'> {
  readonly producerOnly?: boolean;
}

/** Messages of one call of {@link Stage.roundTrips}. */
export const ROUND_TRIPS = 3;
const PROBE_TIMEOUT = 200;
const MOST_PROBES = 50;
const SOME_DAY = 1_700_000_000;

/** Everything that one case plays with: a fresh broker space, its connections, and what happened. */
export class Stage {
  readonly journal: Journal;
  private readonly owners = new Map<number, RecordedSession>();
  private readonly peers: Peer[] = [];
  private readonly keys = new Map<number, Uint8Array[]>();
  private made = 0;
  private blocked = false;

  constructor(
    readonly harness: TransportHarness,
    readonly options: StageOptions,
  ) {
    this.journal = new Journal(harness.within);
  }

  get totalCount(): number {
    return this.options.totalCount;
  }

  // ---- connections

  /** A connection that consumes. */
  async consumer(options?: PeerOptions): Promise<Peer> {
    return (await this.open(options)).consume();
  }

  /** A connection that only publishes. */
  producer(): Promise<Peer> {
    return this.open({ producerOnly: true });
  }

  /** A connection that may consume later. */
  async open({ producerOnly = false, ...recording }: PeerOptions = {}): Promise<Peer> {
    const { totalCount, prefetch } = this.options;
    const name = String.fromCharCode(65 + this.peers.length);
    const opening = this.harness.open({ totalCount, prefetch, producerOnly });
    const connection = await this.journal.settled(`${name} to connect`, opening);
    const { journal, owners } = this;
    const recorder = new ShardRecorder({ ...this.options, ...recording, name, journal, owners });
    const peer = new Peer(name, connection, recorder, this.harness, this.journal);
    this.peers.push(peer);
    return peer;
  }

  /** The shard's owner, whoever that is, as soon as there is one. */
  owner(shard: number): Promise<RecordedSession> {
    return this.journal.until(`somebody to open shard ${shard}`, () => {
      const owner = this.owners.get(shard);
      return owner?.isOpen === true && owner;
    });
  }

  /** Ends what the case has left. */
  async finish(): Promise<void> {
    await this.unblock();
    const open = this.peers.filter((peer) => !peer.isEnded);
    for (const peer of open) peer.connection.stopClaiming();
    for (const peer of open) await peer.close();
    this.journal.verify();
  }

  // ---- messages

  /** The first keys of a shard. */
  key(shard: number, index = 0): Uint8Array {
    let keys = this.keys.get(shard);
    if (keys === undefined || keys.length <= index) {
      keys = keysOfShard(shard, this.totalCount, index + 1);
      this.keys.set(shard, keys);
    }
    return keys[index]!;
  }

  /** A message of a key, for its shard. */
  message(key: Uint8Array, parts: Partial<OutgoingMessage> = {}): OutgoingMessage {
    const messageId = `m${++this.made}`;
    return {
      shard: shardOfKey(key, this.totalCount),
      key,
      body: Buffer.from(`body of ${messageId}`),
      headers: { about: messageId },
      messageId,
      timestamp: SOME_DAY + this.made,
      ...parts,
    };
  }

  /** Messages of one key of a shard. */
  messages(count: number, shard = 0): OutgoingMessage[] {
    return Array.from({ length: count }, () => this.message(this.key(shard)));
  }

  // ---- the broker

  /**
   * Sends messages there and back through another shard, one after the other. What the transport was about to do
   * wrongly in the shard under test has had its chance then.
   */
  async roundTrips(publisher: Peer, shard: number): Promise<void> {
    for (let trip = 0; trip < ROUND_TRIPS; trip++) {
      const message = this.message(this.key(shard), { messageId: `round trip ${++this.made}` });
      await publisher.publish(message);
      await this.journal.until(`${message.messageId} to come through shard ${shard}`, () => {
        return this.peers.some((peer) => peer.recorder.settleOf(shard, message.messageId));
      });
    }
  }

  /** Blocks the broker, and returns when publishes of this connection are seen to wait. */
  async block(publisher: Peer, shard: number): Promise<void> {
    assert.ok(this.harness.block !== undefined, 'the case must need block');
    this.blocked = true;
    await this.harness.block();
    for (let probe = 0; probe < MOST_PROBES; probe++) if (await this.waits(publisher, shard)) return;
    assert.fail(`${MOST_PROBES} publishes were taken though the broker was blocked`);
  }

  /** Whether a publish to the shard waits. Its message may appear there later, or not. */
  async waits(publisher: Peer, shard: number): Promise<boolean> {
    const probe = this.message(this.key(shard), { messageId: `probe ${++this.made}` });
    const publish = this.journal.watch(
      `the publish of ${probe.messageId}`,
      publisher.publisher.publish(probe, PROBE_TIMEOUT),
    );
    try {
      await publish.value();
      return false;
    } catch (error) {
      if (!publish.isSettled) throw error;
      assert.ok(
        error instanceof PublishTimeoutError,
        `a publish that waits too long must reject with PublishTimeoutError, not ${String(error)}`,
      );
      return true;
    }
  }

  async unblock(): Promise<void> {
    if (!this.blocked) return;
    this.blocked = false;
    assert.ok(this.harness.unblock !== undefined, 'a harness with block must have unblock');
    await this.harness.unblock();
    this.journal.note('the broker was unblocked');
  }

  /** Puts a foreign message into a shard. */
  async inject(shard: number, message: RawMessage): Promise<void> {
    assert.ok(this.harness.injectRaw !== undefined, 'the case must need injectRaw');
    await this.harness.injectRaw(shard, message);
  }
}
