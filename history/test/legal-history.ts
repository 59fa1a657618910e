import type { Seeded } from '#support/seeded.js';
import {
  epochName,
  refOf,
  type EpochRef,
  type HistoryEvent,
  type Limits,
  type MessageRef,
  type Observation,
} from '../src/index.js';

const KEYS = 6;
const SHARDS = 3;
const PLACES = ['w0', 'w1'];

/** Under which the legal histories came about. */
export const LIMITS: Limits = { attempts: 3, handlerTimeout: 60_000, drainTimeout: 60_000, mayRefuse: false };

interface Queued extends MessageRef {
  /** Times that its handler fails first. */
  readonly fails: number;
  readonly discarded: boolean;
}

/** Writes histories as a correct system would have left them, in a time of its own. */
export class HistoryWriter {
  readonly events: HistoryEvent[] = [];
  now = 1_000;
  private readonly lines = new Map<string, number>();
  private readonly epochs = new Map<string, number>();
  private readonly next = new Map<string, number>();
  private readonly owners = new Map<number, string>();
  private readonly queues: Queued[][] = Array.from({ length: SHARDS }, () => []);
  private readonly starts = new Map(PLACES.map((place) => [place, 1]));
  /** States of the data updaters that live, by the epoch's name and the key. */
  private readonly states = new Map<string, number>();
  private numbers = 0;

  /** A history with kills, hand-overs, retries, discards and repeats, which breaks no promise. */
  static legal(random: Seeded): HistoryWriter {
    const writer = new HistoryWriter();
    for (let shard = 0; shard < SHARDS; shard++) writer.own(writer.process(random.pick(PLACES)), shard);
    for (let step = 0; step < 200; step++) {
      const dice = random.below(100);
      if (dice < 45) writer.publish(random);
      else if (dice < 92) writer.handle(random.below(SHARDS), random.below(12) === 0 ? 'killed' : 'settled');
      else if (dice < 96) writer.handOver(random.below(SHARDS));
      else writer.kill(writer.process(random.pick(PLACES)));
      writer.adopt();
    }
    for (let shard = 0; shard < SHARDS; shard++) {
      while (writer.queues[shard]!.length > 0) writer.handle(shard, 'settled');
      writer.terminate(shard);
    }
    writer.write('nemesis', { type: 'idled' });
    writer.write('nemesis', { type: 'drained', messages: 0 });
    return writer;
  }

  own(process: string, shard: number): void {
    const name = `${process}:${shard}`;
    const epoch = (this.epochs.get(name) ?? 0) + 1;
    this.epochs.set(name, epoch);
    this.owners.set(shard, process);
    this.write(process, { type: 'owned', shard, epoch });
  }

  kill(process: string): void {
    this.write('nemesis', { type: 'fault', fault: 'kill', target: process });
    this.write('nemesis', { type: 'exited', target: process, how: 'killed' });
    const [place, start] = process.split('.');
    this.starts.set(place!, Number(start) + 1);
    for (const [shard, owner] of this.owners) if (owner === process) this.owners.delete(shard);
  }

  private process(place: string): string {
    return `${place}.${this.starts.get(place) ?? 1}`;
  }

  private epochOf(shard: number): EpochRef & { process: string } {
    const process = this.owners.get(shard)!;
    return { process, shard, epoch: this.epochs.get(`${process}:${shard}`)! };
  }

  /** What has no owner gets one. */
  private adopt(): void {
    for (let shard = 0; shard < SHARDS; shard++) {
      if (!this.owners.has(shard)) this.own(this.process(PLACES[shard % PLACES.length]!), shard);
    }
  }

  private handOver(shard: number): void {
    const { process, ...epoch } = this.epochOf(shard);
    this.write(process, { type: 'releasing', ...epoch });
    this.terminate(shard);
    this.write(process, { type: 'released', ...epoch });
    this.own(this.process(process.startsWith('w0') ? 'w1' : 'w0'), shard);
  }

  /** Ends the data updaters of a shard. */
  private terminate(shard: number): void {
    const { process, ...epoch } = this.epochOf(shard);
    for (let key = shard; key < KEYS; key += SHARDS) this.callback(process, epoch, 'terminate', `k${key}`);
  }

  private publish(random: Seeded): void {
    const index = random.below(KEYS);
    const key = `k${index}`;
    const seq = this.next.get(key) ?? 0;
    this.next.set(key, seq + 1);
    const ref = refOf(key, seq);
    this.write('publisher.1', { type: 'published', ...ref });
    this.write('publisher.1', { type: 'confirmed', ...ref });
    this.queues[index % SHARDS]!.push({
      ...ref,
      fails: random.below(4) === 0 ? 1 : 0,
      discarded: random.below(10) === 0,
    });
  }

  /** The head of a shard's queue is handled; its owner settles it, or is killed just before. */
  private handle(shard: number, then: 'settled' | 'killed'): void {
    const queue = this.queues[shard]!;
    const [head] = queue;
    if (head === undefined) return;
    const { fails, discarded, ...ref } = head;
    const { process, ...epoch } = this.epochOf(shard);
    const delivered = { ...ref, ...epoch, delivery: ++this.numbers };
    this.write(process, { type: 'delivered', ...delivered, redelivered: false, fromSide: false });
    for (let attempt = 1; attempt <= fails + 1; attempt++) {
      this.attempt(process, ref, epoch, attempt, attempt <= fails ? 'failed' : discarded ? 'discarded' : 'ok');
    }
    if (then === 'killed') {
      this.kill(process);
      return;
    }
    if (discarded) this.write(process, { type: 'deadLettering', ...delivered, reason: 'discarded' });
    this.write(process, { type: discarded ? 'deadLettered' : 'settled', ...delivered });
    queue.shift();
  }

  private attempt(
    process: string,
    ref: MessageRef,
    epoch: EpochRef,
    attempt: number,
    outcome: 'ok' | 'failed' | 'discarded',
  ): void {
    const at = `${epochName(process, epoch)} ${ref.key}`;
    if (!this.states.has(at)) this.callback(process, epoch, 'init', ref.key);
    const state = this.states.get(at)!;
    const called = { ...ref, ...epoch, callback: 'handleMessage' as const, run: ++this.numbers };
    const run = { ...called, attempt, redelivered: false };
    this.write(process, { type: 'started', ...run, state });
    this.now += 4;
    const changed = outcome === 'failed' ? state : ++this.numbers;
    this.states.set(at, changed);
    this.write(process, { type: 'ended', ...run, outcome, stops: false, state: changed });
    if (outcome === 'failed') this.callback(process, epoch, 'terminate', ref.key);
  }

  private callback(process: string, epoch: EpochRef, callback: 'init' | 'terminate', key: string): void {
    const at = `${epochName(process, epoch)} ${key}`;
    const state = this.states.get(at);
    if (callback === 'terminate' && state === undefined) return;
    const run = { id: '', key, seq: -1, ...epoch, callback, run: ++this.numbers, attempt: 0, redelivered: false };
    this.write(process, { type: 'started', ...run, state });
    this.write(process, { type: 'ended', ...run, outcome: 'ok', stops: false, state: ++this.numbers });
    if (callback === 'init') this.states.set(at, this.numbers);
    else this.states.delete(at);
  }

  private write(process: string, observation: Observation): void {
    this.now++;
    const n = (this.lines.get(process) ?? 0) + 1;
    this.lines.set(process, n);
    this.events.push({ ...observation, process, n, mono: this.now, wall: this.now });
  }
}
