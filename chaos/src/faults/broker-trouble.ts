import { setTimeout as sleep } from 'node:timers/promises';
import { EVERYBODY, type Recorder } from '@mississippi/history';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { SPOILS, spoil, type Spoilt } from './bad-queue.js';
import { DELETABLE, deleteOne, isBack, type Deletable } from './deleted-queue.js';
import { clearAlarm, raiseAlarm } from './memory-alarm.js';
import { wipe } from './wipe.js';
import type { Witness } from './witness.js';

/**
 * How long the app may take until all is there again, and served: a shard that could not be claimed rests for 30 s at most.
 * Milliseconds.
 */
export const RECOVERY = 45_000;

/** How often that is looked at. Milliseconds. */
const LOOK = 100;

/** Resolves with whether what is asked for came true in time. */
async function comesTrue(ask: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + RECOVERY;
  while (!(await ask())) {
    if (performance.now() >= end) return false;
    await sleep(LOOK);
  }
  return true;
}

/** Tells the history what is not there, or not served, though there was time. */
export async function expectWhole(witness: Witness, recorder: Recorder): Promise<void> {
  let lacking: [queue: string, text: string][] = [];
  await comesTrue(async () => (lacking = await witness.lacking()).length === 0);
  for (const [queue, text] of lacking) recorder.record({ type: 'missing', queue, text });
}

/** What breaks in the broker while it runs. Each resolves with whether the broker was seen to have it. */
export class BrokerTrouble {
  private alarmed = false;
  /** Shards of which a queue is spoilt or deleted. */
  private readonly troubled = new Set<number>();

  constructor(
    private readonly node: RabbitMqNode,
    private readonly witness: Witness,
    private readonly recorder: Recorder,
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
      const seen = await raiseAlarm(this.node);
      await this.rest(length);
      await clearAlarm(this.node);
      this.recorder.record({ type: 'healed', fault: 'alarm', target: EVERYBODY });
      this.alarmed = false;
      return seen;
    };
  }

  /** @param whom from 0 to below 1, which shard where it has one */
  deleteQueue(whom: number, more: number): (() => Promise<boolean>) | undefined {
    const what = DELETABLE[Math.floor(more * DELETABLE.length)]!;
    const shard = this.shards(whom).next().value;
    if (shard === undefined) return undefined;
    return () => this.strike(shard, () => this.deleted(what, shard));
  }

  /** The first shard of which a queue can be spoilt, from a certain one on. */
  badQueue(whom: number, length: number, more: number): () => Promise<boolean> {
    const how = SPOILS[Math.floor(more * SPOILS.length)]!;
    return async () => {
      for (const shard of this.shards(whom)) {
        if (await this.strike(shard, () => this.spoilt(() => spoil(this.witness, how, shard), length, how)))
          return true;
      }
      return false;
    };
  }

  /** Whether signals wait in a queue, delivered and not acked. */
  async isWaiting(queue: string): Promise<boolean> {
    const list = await this.node.ask(
      'list_queues',
      '--silent',
      '--no-table-headers',
      'name',
      'messages_unacknowledged',
    );
    const line = list.split('\n').find((text) => text.startsWith(`${queue}\t`));
    return Number(line?.split('\t')[1] ?? 0) > 0;
  }

  /** @param booted called when the broker is back and the app has all of it again */
  async wipe(pause: number, booted: () => void): Promise<boolean> {
    this.say('wipe the broker');
    this.recorder.record({ type: 'fault', fault: 'wipe', target: EVERYBODY });
    const seen = await wipe(this.node, this.witness, () => this.rest(pause));
    this.recorder.record({ type: 'healed', fault: 'wipe', target: EVERYBODY });
    this.say('the broker is back, and empty');
    await expectWhole(this.witness, this.recorder);
    booted();
    return seen;
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
    if (what !== 'parked' && !(await comesTrue(() => isBack(this.witness, what, name)))) {
      this.recorder.record({ type: 'missing', queue: name, text: 'was deleted and did not come back' });
    }
    return true;
  }

  private async spoilt(plant: () => Promise<Spoilt | undefined>, length: number, how: string): Promise<boolean> {
    const spoilt = await plant();
    if (spoilt === undefined) return false;
    this.say(`spoilt ${spoilt.queue} (${how}) for ${Math.round(length)} ms`);
    await this.rest(length);
    await spoilt.heal();
    return true;
  }
}
