import type { Clock, Timer } from '@mississippi/core/transport';
import type { Channel } from 'amqplib';

/** Acks wait no longer than this. Milliseconds. */
const FLUSH_AFTER = 5;

/** A delivery of the channel, as far as its ack goes. */
export interface Unacked {
  readonly tag: number;
  settled: boolean;
}

/**
 * The acks of one channel, coalesced: what is settled without a gap from the oldest delivery on goes as one ack with
 * `multiple`, the rest one by one. Nothing that is not settled is ever covered. It must know every delivery of the channel: an
 * ack that covered one that it does not know would settle it, and its own ack would close the channel (406, RabbitMQ 3.10).
 */
export class AckWindow {
  /** Unacked deliveries in the order of their tags, from `first` on; acked ones leave a hole. */
  private deliveries: (Unacked | undefined)[] = [];
  private first = 0;
  /** Every delivery up to this tag is settled. */
  private settledUpTo = 0;
  private readonly settled: Unacked[] = [];
  private timer: Timer | undefined;

  constructor(
    private readonly channel: Channel,
    /** With so many settled deliveries it waits no longer. */
    private readonly most: number,
    private readonly clock: Clock,
  ) {}

  /** A delivery has come; tags grow. */
  opened(delivery: Unacked): void {
    this.deliveries.push(delivery);
  }

  /** Acks by itself and at once. */
  settleNow(delivery: Unacked): void {
    if (delivery.settled) return;
    delivery.settled = true;
    ack(this.channel, delivery.tag, false);
  }

  settle(delivery: Unacked): void {
    if (delivery.settled) return;
    delivery.settled = true;
    this.settled.push(delivery);
    if (this.settled.length >= this.most) this.flush();
    else this.timer ??= this.clock.after(FLUSH_AFTER, () => this.flush());
  }

  flush(): void {
    this.timer?.cancel();
    this.timer = undefined;
    const settled = this.settled.splice(0);
    if (settled.length === 0) return;
    this.advance();
    // The prefix may end in a delivery that was acked alone before: the broker refuses such a tag and closes the channel
    // (406, RabbitMQ 3.10), so the last one that is new goes with `multiple`.
    let last = 0;
    for (const { tag } of settled) if (tag <= this.settledUpTo) last = Math.max(last, tag);
    if (last > 0) ack(this.channel, last, true);
    for (const { tag } of settled) if (tag > last) ack(this.channel, tag, false);
  }

  /** The channel is gone. */
  drop(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.settled.length = 0;
    this.deliveries = [];
    this.first = 0;
  }

  /** Forgets the deliveries up to the first that is not settled. */
  private advance(): void {
    while (this.first < this.deliveries.length && this.deliveries[this.first]!.settled) {
      this.settledUpTo = this.deliveries[this.first]!.tag;
      this.deliveries[this.first++] = undefined;
    }
    if (this.first > 1_024 && this.first * 2 > this.deliveries.length) {
      this.deliveries = this.deliveries.slice(this.first);
      this.first = 0;
    }
  }
}

function ack(channel: Channel, deliveryTag: number, allUpTo: boolean): void {
  // The client reads nothing of the message but its tag.
  channel.ack({ fields: { deliveryTag } } as Parameters<Channel['ack']>[0], allUpTo);
}
