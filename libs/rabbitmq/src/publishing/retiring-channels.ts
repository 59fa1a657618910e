import type { ConfirmChannel } from 'amqplib';
import { closeChannel } from '../connection/channels.js';
import type { Outbox } from './outbox.js';

/**
 * Channels that were replaced and still have messages unconfirmed. Two channels keep no order between them, so a queue is
 * held while an old channel has something for it; each of its other queues goes on at once on the new one.
 */
export class RetiringChannels {
  /** How many messages each has unconfirmed, by queue. */
  private readonly left = new Map<ConfirmChannel, Map<string, number>>();

  constructor(private readonly outbox: Outbox) {}

  /** Nothing more is sent on this channel; it is closed when all on it is confirmed. */
  add(channel: ConfirmChannel): void {
    const counts = new Map<string, number>();
    for (const { channel: where, message } of this.outbox.unconfirmed) {
      if (where === channel) counts.set(message.queue, (counts.get(message.queue) ?? 0) + 1);
    }
    if (counts.size === 0) {
      void closeChannel(channel);
      return;
    }
    this.left.set(channel, counts);
    for (const queue of counts.keys()) this.outbox.hold(queue);
  }

  /** A message that was sent on it is answered. */
  answered(channel: ConfirmChannel, queue: string): void {
    const counts = this.left.get(channel);
    if (counts === undefined) return;
    const count = counts.get(queue)! - 1;
    if (count > 0) {
      counts.set(queue, count);
      return;
    }
    counts.delete(queue);
    this.outbox.release(queue);
    if (counts.size > 0) return;
    this.left.delete(channel);
    void closeChannel(channel);
  }

  /** It is gone: what it leaves unconfirmed waits again, first. */
  gone(channel: ConfirmChannel): void {
    const counts = this.left.get(channel);
    if (counts === undefined) return;
    this.left.delete(channel);
    for (const queue of counts.keys()) this.outbox.release(queue);
    this.outbox.putBack(channel);
  }

  /** All are gone, with their connection. */
  allGone(): void {
    for (const channel of [...this.left.keys()].toReversed()) this.gone(channel);
  }
}
