import { systemClock } from '@mississippi/core/transport';
import type { Channel, ConsumeMessage } from 'amqplib';
import fc from 'fast-check';
import { AckWindow } from '../src/sessions/ack-window.js';
import { RabbitDelivery } from '../src/wire/rabbit-delivery.js';

/** A channel that keeps its acks, and refuses what the broker would refuse. */
class FakeChannel {
  readonly acks: string[] = [];
  readonly unacked = new Set<number>();
  private waiting: (() => void) | undefined;

  ack({ fields: { deliveryTag } }: { fields: { deliveryTag: number } }, allUpTo: boolean): void {
    if (!this.unacked.has(deliveryTag)) throw new Error(`unknown delivery tag ${deliveryTag}`);
    this.acks.push(`${deliveryTag}${allUpTo ? ' and before' : ''}`);
    for (const tag of this.unacked) if (tag === deliveryTag || (allUpTo && tag < deliveryTag)) this.unacked.delete(tag);
    this.waiting?.();
  }

  /** Resolves at the next ack. */
  acked(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no ack came within 5 s')), 5_000);
      this.waiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function setUp(count: number, most = 1_000) {
  const channel = new FakeChannel();
  const window = new AckWindow(channel as unknown as Channel, most, systemClock);
  const deliveries = Array.from({ length: count }, (_, index) => {
    const message = {
      fields: { deliveryTag: index + 1, redelivered: false },
      properties: {},
      content: Buffer.alloc(0),
    };
    const delivery = new RabbitDelivery(message as ConsumeMessage, false);
    channel.unacked.add(delivery.tag);
    window.opened(delivery);
    return delivery;
  });
  const settle = (...tags: number[]): void => {
    for (const tag of tags) window.settle(deliveries[tag - 1]!);
  };
  const settleNow = (tag: number): void => window.settleNow(deliveries[tag - 1]!);
  return { channel, window, settle, settleNow };
}

describe('the acks of a channel', () => {
  test('go as one when what is settled has no gap', () => {
    const { channel, window, settle } = setUp(5);
    settle(2, 1, 3);
    window.flush();
    expect(channel.acks).toEqual(['3 and before']);
  });

  test('go one by one behind a gap, in the order of the settlements', () => {
    const { channel, window, settle } = setUp(6);
    settle(5, 1, 3, 2);
    window.flush();
    expect(channel.acks).toEqual(['3 and before', '5']);
    settle(6);
    window.flush();
    expect(channel.acks).toEqual(['3 and before', '5', '6']);
  });

  test('of what is acked at once come at once, and alone', () => {
    const { channel, window, settle, settleNow } = setUp(5);
    settle(1, 2, 4);
    settleNow(3);
    expect(channel.acks).toEqual(['3']);
    settleNow(3);
    window.flush();
    expect(channel.acks).toEqual(['3', '4 and before']);
    settle(5);
    window.flush();
    expect(channel.acks).toEqual(['3', '4 and before', '5 and before']);
  });

  test('cover nothing that is to be acked at once and was not yet', () => {
    const { channel, window, settle, settleNow } = setUp(4);
    settle(1, 3, 4);
    window.flush();
    expect(channel.acks).toEqual(['1 and before', '3', '4']);
    settleNow(2);
    expect(channel.acks).toEqual(['1 and before', '3', '4', '2']);
  });

  test('never name a delivery that was acked before', () => {
    const { channel, window, settle } = setUp(4);
    settle(2);
    window.flush();
    settle(1);
    window.flush();
    settle(4, 3);
    window.flush();
    expect(channel.acks).toEqual(['2', '1 and before', '4 and before']);
  });

  test('go by themselves soon', async () => {
    const { channel, settle } = setUp(2);
    const acked = channel.acked();
    settle(1);
    expect(channel.acks).toEqual([]);
    await acked;
    expect(channel.acks).toEqual(['1 and before']);
  });

  test('go at once when there are many', () => {
    const { channel, settle } = setUp(4, 3);
    settle(1, 2);
    expect(channel.acks).toEqual([]);
    settle(3);
    expect(channel.acks).toEqual(['3 and before']);
  });

  test('go once for each delivery, however often it is settled', () => {
    const { channel, window, settle } = setUp(2);
    settle(1, 1);
    window.flush();
    settle(1);
    window.flush();
    expect(channel.acks).toEqual(['1 and before']);
  });

  test('go nowhere when the channel is gone', () => {
    const { channel, window, settle } = setUp(2);
    settle(1);
    window.drop();
    window.flush();
    expect(channel.acks).toEqual([]);
  });

  test('cover what is settled and nothing else, in whatever order and portions', () => {
    const plan = fc.integer({ min: 1, max: 60 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        order: fc.shuffledSubarray(Array.from({ length: count }, (_, index) => index + 1)),
        flushes: fc.array(fc.boolean(), { minLength: count, maxLength: count }),
        most: fc.integer({ min: 1, max: 20 }),
      }),
    );
    fc.assert(
      fc.property(plan, ({ count, order, flushes, most }) => {
        const { channel, window, settle } = setUp(count, most);
        const left = new Set(channel.unacked);
        for (const [index, tag] of order.entries()) {
          settle(tag);
          left.delete(tag);
          if (flushes[index] === true) window.flush();
          for (const unsettled of left) expect(channel.unacked.has(unsettled)).toBe(true);
        }
        window.flush();
        expect(channel.unacked).toEqual(left);
      }),
    );
  });
});
