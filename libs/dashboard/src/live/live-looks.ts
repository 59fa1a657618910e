import { encodeShardingKey, inspectKey, type MississippiOperator, type ShardingKey } from '@mississippi/core';
import { wireError } from '../api/errors.js';
import { addressOf } from '../api/key-address.js';
import { wireKey } from '../api/wire-values.js';
import type { EventStream } from '../http/event-stream.js';
import { Refusal } from '../http/refusal.js';
import type { KeyAddress, Point, Snapshot, WatchedKey } from '../wire.js';
import { SharedLook } from './shared-look.js';
import { OVER, takeSnapshot } from './snapshot.js';

/** Between two looks at everything, the second included over which rates are taken. Milliseconds. */
const EACH = 2_000;
const EACH_KEY = 1_000;
/** Points of the charts: some minutes. */
const MOST_POINTS = 150;
/** Streams at a time, so that nobody opens them without end. */
const MOST_VIEWERS = 100;

/** What is looked at again and again while somebody watches: everything, and single keys. */
export class LiveLooks {
  private readonly streams = new Set<EventStream>();
  private readonly all: SharedLook;
  private readonly keys = new Map<KeyAddress, SharedLook>();
  private points: readonly Point[] = [];

  constructor(private readonly operator: () => MississippiOperator) {
    this.all = new SharedLook({
      event: 'snapshot',
      interval: EACH - OVER,
      waits: OVER,
      look: () => this.lookAtAll(),
    });
  }

  /** @throws {Refusal} when there are too many viewers */
  checkRoom(): void {
    if (this.streams.size >= MOST_VIEWERS) {
      throw new Refusal(503, 'too_many_viewers', `There are ${MOST_VIEWERS} viewers already. Close some pages.`);
    }
  }

  watchAll(viewer: EventStream): void {
    this.admit(viewer);
    viewer.send('history', this.points);
    this.all.add(viewer);
  }

  watchKey(key: ShardingKey, viewer: EventStream): void {
    this.admit(viewer);
    const address = addressOf(key);
    let look = this.keys.get(address);
    if (look === undefined) {
      look = new SharedLook({
        event: 'key',
        interval: EACH_KEY,
        waits: 0,
        look: () => this.lookAt(key),
        emptied: () => this.keys.delete(address),
      });
      this.keys.set(address, look);
    }
    look.add(viewer);
  }

  /** The app closes: an open stream would keep its server. */
  end(): void {
    for (const stream of this.streams) stream.end();
  }

  private admit(viewer: EventStream): void {
    this.streams.add(viewer);
    viewer.onClose(() => this.streams.delete(viewer));
  }

  private async lookAtAll(): Promise<Snapshot> {
    const snapshot = await takeSnapshot(this.operator());
    const { at, rate, backlog, inFlight, parked, median, slow } = snapshot;
    this.points = [...this.points, { at, rate, backlog, inFlight, parked, median, slow }].slice(-MOST_POINTS);
    return snapshot;
  }

  private async lookAt(key: ShardingKey): Promise<WatchedKey> {
    const at = Date.now();
    // Whoever watches a key has its address, and so the key: this tells nothing that the app's log would hide.
    const text = inspectKey(encodeShardingKey(key));
    try {
      const { report, stack = null, events } = await this.operator().watch(key);
      if (report === undefined) return { at, text, key: null, stack, events, problem: null };
      return { at, text: report.text, key: wireKey(report), stack, events, problem: null };
    } catch (error) {
      return { at, text, key: null, stack: null, events: [], problem: wireError(error).message };
    }
  }
}
