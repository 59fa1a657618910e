import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import type { Witness } from './witness.js';

/** Ends the broker and boots it with nothing. Returns whether a queue that outlives a boot has gone with the rest. */
export async function wipe(node: RabbitMqNode, witness: Witness, rest: () => Promise<void>): Promise<boolean> {
  const mark = `${witness.layout.prefix}before`;
  await witness.onChannel((channel) => channel.assertQueue(mark, { durable: true }));
  await node.wipe();
  await rest();
  await node.boot();
  return (await witness.queue(mark)) === undefined;
}
