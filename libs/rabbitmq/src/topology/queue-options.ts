import type { Options } from 'amqplib';
import { reasonOf } from '../errors/reason.js';
import { codeOf, PRECONDITION_FAILED } from '../errors/reply-codes.js';

/**
 * Without a limit of our own a quorum queue of RabbitMQ 4 drops a message at its 20th return, and prefetched messages
 * count; -1 destroys them at the first return on 3.10.8. This number is taken by both and never reached.
 */
const DELIVERY_LIMIT = 2_147_483_647;

/** Where the leader of a quorum queue is to lie. */
const LOCATOR = 'x-queue-leader-locator';

/** Has the leaders of a cluster lie on all of its nodes; otherwise they lie on the one that declares (RabbitMQ 3.10, 4.0). */
export const BALANCED: Readonly<Record<string, unknown>> = { [LOCATOR]: 'balanced' };

/** Of several consumers one gets everything; the next one follows when it is gone. */
export const SINGLE_ACTIVE: Readonly<Record<string, unknown>> = { 'x-single-active-consumer': true };

/**
 * The type is named, since a virtual host may make quorum queues of those that name none. For the broker it is the same as a
 * declaration without it, where its default is classic: peers that name none go on (RabbitMQ 3.10).
 */
export const CLASSIC: Options.AssertQueue = { durable: true, arguments: { 'x-queue-type': 'classic' } };

export function quorumOptions(more: Readonly<Record<string, unknown>>): Options.AssertQueue {
  return { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': DELIVERY_LIMIT, ...more } };
}

/**
 * A queue that only one consumer has: as its exclusive one, or where a quorum queue does not enforce that (RabbitMQ 3.10 and 4.0), as its
 * active one.
 */
export function ofOneConsumer(quorum: boolean): Options.AssertQueue {
  return quorum ? quorumOptions({ ...SINGLE_ACTIVE, ...BALANCED }) : CLASSIC;
}

/** A queue that has no messages, and remembers a text: where a dead letter of it would go. */
export function remembering(value: string, options: Options.AssertQueue): Options.AssertQueue {
  return { ...options, deadLetterExchange: '', deadLetterRoutingKey: value };
}

/** Whether a declaration was refused since the queue has another {@link LOCATOR}, or none. */
export function differsInLocator(error: unknown): boolean {
  return codeOf(error) === PRECONDITION_FAILED && reasonOf(error).includes(LOCATOR);
}
