import { findServer, HOW_TO_GET_ONE, sharedHandle } from './broker.js';
import { RabbitMqContainer, RabbitMqNode, type BrokerNode } from './rabbitmq-node.js';

/**
 * A broker in which Erlang can be evaluated: the shared node where it is ours, else one of the spec's own. Stop it at the
 * end of the spec, whichever it is.
 */
export async function erlangPeer(): Promise<BrokerNode> {
  const handle = sharedHandle();
  return handle === undefined ? privateNode() : new RabbitMqNode(handle);
}

/** A node of the spec's own, for what would disturb others, such as an alarm. */
export async function privateNode(): Promise<BrokerNode> {
  const kind = findServer();
  if (kind === undefined) {
    throw new Error(`These tests command a RabbitMQ of their own, and none can be started here: ${HOW_TO_GET_ONE}.`);
  }
  return kind === 'installed' ? RabbitMqNode.start() : RabbitMqContainer.start();
}
