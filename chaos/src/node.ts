import { RabbitMqNode } from '#support/rabbitmq-node.js';

/**
 * A broker of one's own.
 * @param consumerTimeout after how long it takes a delivery back. Milliseconds
 * @throws when it does not have that
 */
export async function startNode(consumerTimeout: number | undefined): Promise<RabbitMqNode> {
  if (consumerTimeout === undefined) return RabbitMqNode.start();
  // The broker looks once in a tick.
  const node = await RabbitMqNode.start({ consumer_timeout: consumerTimeout, channel_tick_interval: 1_000 });
  const asked = 'application:get_env(rabbit, consumer_timeout).';
  const has = await node.ask('eval', asked);
  if (has === `{ok,${consumerTimeout}}`) return node;
  await node.stop();
  throw new Error(`the broker's consumer_timeout is ${has}`);
}
