import { connect } from 'amqplib';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import type { Layout, Witness } from './witness.js';

/** It takes nothing in. */
const BAD = { 'x-queue-type': 'classic', 'x-max-length': 0, 'x-overflow': 'reject-publish' } as const;

/** How a queue of one shard can be spoilt for a while. */
export type Spoil = 'stranger' | 'signals' | 'parked';

/** What can be done without a loss. A side queue must be empty and unread, which quorum queues neither tell nor keep. */
export function spoilsOf({ quorum }: Layout): readonly Spoil[] {
  return quorum ? ['signals'] : ['stranger', 'signals', 'parked'];
}

/** A queue that is spoilt, until that is taken back. */
export interface Spoilt {
  readonly queue: string;
  heal(): Promise<void>;
}

/** Spoils a queue. Returns `undefined` where it cannot be done without a loss, or is not to be seen. */
export function spoil(witness: Witness, how: Spoil, shard: number): Promise<Spoilt | undefined> {
  if (how === 'stranger') return strangerAt(witness, witness.names.parked(shard));
  return how === 'signals'
    ? declaredOtherwise(witness, witness.names.signals(shard), false)
    : declaredOtherwise(witness, witness.names.parked(shard), true);
}

/** Somebody else reads the side queue, settles nothing, and goes again. */
async function strangerAt(witness: Witness, queue: string): Promise<Spoilt | undefined> {
  const model = await connect(witness.layout.url);
  model.on('error', () => undefined);
  try {
    const channel = await model.createChannel();
    channel.on('error', () => undefined);
    await channel.consume(queue, () => undefined);
    if (((await witness.queue(queue))?.consumers ?? 0) === 0) throw new Error('it has no consumer');
  } catch {
    await model.close().catch(() => undefined);
    return undefined; // Its owner reads it, or there is none.
  }
  return { queue, heal: () => model.close() };
}

/**
 * Another queue by the same name, into which nothing goes: it refuses every message. What was there is deleted, of a side
 * queue only where that was empty and unread.
 */
async function declaredOtherwise(witness: Witness, queue: string, careful: boolean): Promise<Spoilt | undefined> {
  const bad = { durable: true, arguments: BAD };
  try {
    await witness.onChannel(async (channel) => {
      await channel.checkQueue(queue);
      // Both at once: its owner, who hears of the deletion, must not come in between.
      const deleted = channel.deleteQueue(queue, careful ? { ifUnused: true, ifEmpty: true } : {});
      const declared = channel.assertQueue(queue, bad);
      await Promise.all([deleted, declared]);
    });
    // The broker compares: whoever asks for the same gets it.
    await witness.onChannel((channel) => channel.assertQueue(queue, bad));
  } catch {
    return undefined;
  }
  return {
    queue,
    heal: async () => {
      await witness.onChannel((channel) => channel.deleteQueue(queue));
    },
  };
}

/** Queues that are spoilt so: by now, or again, since a killed broker may forget that one was deleted just before. */
export async function stillSpoilt(node: RabbitMqNode): Promise<string[]> {
  const listed = await node.ask('list_queues', '--quiet', '--formatter', 'json', 'name', 'arguments');
  const queues = JSON.parse(listed) as {
    name: string;
    arguments: readonly [name: string, type: string, value: unknown][];
  }[];
  return queues.filter(({ arguments: given }) => isBad(given)).map(({ name }) => name);
}

function isBad(given: readonly [name: string, type: string, value: unknown][]): boolean {
  return given.some(([name, , value]) => name === 'x-overflow' && value === BAD['x-overflow']);
}
