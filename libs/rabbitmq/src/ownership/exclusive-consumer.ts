import type { ChannelModel } from 'amqplib';
import { onChannel } from '../connection/channels.js';
import { isInUse } from '../errors/reply-codes.js';
import { explainShared } from '../topology/disagreement.js';

/** Lower than any other: while the owner takes messages, whoever has it gets none. */
const LAST = -128;

/**
 * Makes certain that the broker enforces the exclusive consumer that we have on a queue, by asking for a second one: quorum
 * queues and streams feed both, and a virtual host may make one of what was meant to be classic.
 * @throws {RabbitMqSetupError} when the second one is not refused
 */
export async function verifyExclusive(model: ChannelModel, queue: string): Promise<void> {
  try {
    await onChannel(model, (channel) => channel.consume(queue, () => undefined, { exclusive: true, priority: LAST }));
  } catch (error) {
    if (isInUse(error)) return;
    throw error;
  }
  throw explainShared(queue);
}
