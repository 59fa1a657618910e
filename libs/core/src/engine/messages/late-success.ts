import { Ack, Stop, type MessageOutcome } from '../../outcomes.js';
import type { Delivery } from '../../transport/transport.interface.js';
import type { Fifo } from '../../collections/fifo.js';
import { DeliveredMessage, type TrackedMessage } from './tracked-message.js';

/** Whether an outcome that could not settle means that the handler is done with the message. A discard is not: it has no dead letter. */
export function isHandled(outcome: MessageOutcome<unknown> | undefined): boolean {
  return outcome instanceof Ack || (outcome instanceof Stop && outcome.settlement === 'ack');
}

/**
 * The message in a FIFO that an earlier epoch handled too late to settle it. Messages before it were handled too, or it
 * could not have run.
 */
export function findHandled(fifo: Fifo<TrackedMessage>, handled: Delivery): DeliveredMessage | undefined {
  for (let message = fifo.peek(); message !== undefined; message = message.next) {
    if (!(message instanceof DeliveredMessage) || message.handledBefore || !message.redelivered) continue;
    if (sameMessage(message.delivery, handled)) return message;
  }
  return undefined;
}

function sameMessage(a: Delivery, b: Delivery): boolean {
  return a.messageId !== undefined && a.messageId === b.messageId && Buffer.compare(a.body, b.body) === 0;
}
