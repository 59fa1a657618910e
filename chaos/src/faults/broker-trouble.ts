import { setTimeout as sleep } from 'node:timers/promises';
import { EVERYBODY, type Recorder } from '@mississippi/history';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { spoil, spoilsOf, stillSpoilt } from './bad-queue.js';
import { deletablesOf, deleteOne, isBack, type Deletable } from './deleted-queue.js';
import { alarmFor } from './memory-alarm.js';
import { wipe } from './wipe.js';
import type { Witness } from './witness.js';

/** How often that is looked at. Milliseconds. */
const LOOK = 100;

/** The same, from another one on. */
function rotated<T>(items: readonly T[], share: number): T[] {
  const first = Math.floor(share * items.length);
  return [...items.slice(first), ...items.slice(0, first)];
}

/** Resolves with whether what is asked for came true in time. */
async function comesTrue(patience: number, ask: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + patience;
  while (!(await ask())) {
    if (performance.now() >= end) return false;
    await sleep(LOOK);
  }
  return true;
}

/**
 * Tells the history what is not there, or not served, though there was time.
 * @param patience milliseconds
 */
export async function expectWhole(witness: Witness, recorder: Recorder, patience: number): Promise<void> {
  let lacking: [queue: string, text: string][] = [];
  await comesTrue(patience, async () => (lacking = await witness.lacking()).length === 0);
  for (const [queue, text] of lacking) recorder.record({ type: 'missing', queue, text });
}

/** What breaks in the broker while it runs. Each resolves with whether the broker was seen to have it. */
export class BrokerTrouble {
  private alarmed = false;
  /** Shards of which a queue is spoilt or deleted. */
  private readonly troubled = new Set<number>();
  /** Queues that were spoilt, with their shards. */
  private readonly spoilt = new Map<string, number>();

  constructor(
    private readonly node: RabbitMqNode,
    private readonly witness: Witness,
    private readonly recorder: Recorder,
    /** How long the app may take until all is there again, and served. Milliseconds. */
    private readonly patience: number,
    private readonly say: (line: string) => void,
    private readonly rest: (milliseconds: number) => Promise<void>,
  ) {}

  /** One at a time. */
  alarm(length: number): (() => Promise<boolean>) | undefined {
    if (this.alarmed) return undefined;
    return async () => {
      this.alarmed = true;
      this.say(`a memory alarm for ${Math.round(length)} ms`);
      this.recorder.record({ type: 'fault', fault: 'alarm', target: EVERYBODY });
      const seen = await alarmFor(this.node, length);
      this.recorder.record({ type: 'healed', fault: 'alarm', target: EVERYBODY });
      this.alarmed = false;
      return seen;
    };
  }

  /** The first that can be deleted, from a certain one on. */
  deleteQueue(whom: number, more: number): () => Promise<boolean> {
    const all = deletablesOf(this.witness.layout);
    return () => this.anywhere(rotated(all, more), whom, (what, shard) => this.deleted(what, shard));
  }

  /**
   * The first that can be spoilt, from a certain one on.
   * @param meet has a key of the shard set aside, so that something meets a side queue that refuses
   */
  badQueue(
    whom: number,
    length: number,
    more: number,
    meet: (shard: number) => Promise<unknown>,
  ): () => Promise<boolean> {
    const all = spoilsOf(this.witness.layout);
    return () =>
      this.anywhere(rotated(all, more), whom, async (how, shard) => {
        const spoilt = await spoil(this.witness, how, shard);
        if (spoilt === undefined) return false;
        this.spoilt.set(spoilt.queue, shard);
        this.say(`spoilt ${spoilt.queue} (${how}) for ${Math.round(length)} ms`);
        const met = how === 'parked' ? meet(shard) : undefined;
        await this.rest(length);
        await spoilt.heal();
        await met;
        return true;
      });
  }

  /** Heals once more what a broker that was killed has spoilt again. */
  async healAgain(): Promise<void> {
    if (this.spoilt.size === 0) return;
    for (const queue of await stillSpoilt(this.node)) {
      const shard = this.spoilt.get(queue);
      if (shard === undefined) continue;
      await this.strike(shard, async () => {
        this.say(`the broker has forgotten that ${queue} was deleted, and it is again`);
        await this.witness.onChannel((channel) => channel.deleteQueue(queue));
        return true;
      });
    }
  }

  /** @param booted called when the broker is back and the app has all of it again */
  async wipe(pause: number, booted: () => void): Promise<boolean> {
    this.say('wipe the broker');
    this.recorder.record({ type: 'fault', fault: 'wipe', target: EVERYBODY });
    const seen = await wipe(this.node, this.witness, () => this.rest(pause));
    this.recorder.record({ type: 'healed', fault: 'wipe', target: EVERYBODY });
    this.say('the broker is back, and empty');
    await expectWhole(this.witness, this.recorder, this.patience);
    booted();
    return seen;
  }

  /** Tries one way after the other at one shard after the other, until one succeeds. */
  private async anywhere<T>(
    ways: readonly T[],
    whom: number,
    act: (way: T, shard: number) => Promise<boolean>,
  ): Promise<boolean> {
    for (const way of ways) {
      for (const shard of this.shards(whom)) if (await this.strike(shard, () => act(way, shard))) return true;
    }
    return false;
  }

  /** All that no other trouble has, from a certain one on. */
  private *shards(whom: number): Generator<number, undefined> {
    const { shards } = this.witness.layout;
    const first = Math.floor(whom * shards);
    for (let i = 0; i < shards; i++) {
      const shard = (first + i) % shards;
      if (!this.troubled.has(shard)) yield shard;
    }
  }

  private async strike(shard: number, act: () => Promise<boolean>): Promise<boolean> {
    this.troubled.add(shard);
    // First: whoever is struck may know before it is done.
    this.recorder.record({ type: 'fault', fault: 'queue', target: EVERYBODY, shard });
    try {
      return await act();
    } finally {
      this.recorder.record({ type: 'healed', fault: 'queue', target: EVERYBODY, shard });
      this.troubled.delete(shard);
    }
  }

  private async deleted(what: Deletable, shard: number): Promise<boolean> {
    const name = await deleteOne(this.witness, what, shard);
    if (name === undefined) return false;
    this.say(`deleted ${name}`);
    if (what !== 'parked' && !(await comesTrue(this.patience, () => isBack(this.witness, name)))) {
      this.recorder.record({ type: 'missing', queue: name, text: 'was deleted and did not come back' });
    }
    return true;
  }
}
