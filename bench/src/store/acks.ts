import { connect, type Channel, type ConsumeMessage } from 'amqplib';

/** What was published with a message that is acked now, one for each. */
export type Acked = (messages: readonly ConsumeMessage[]) => void;

/** Deliveries that are not acked, by their tags, in the order of their tags. */
type Open = Map<number, ConsumeMessage>;

/**
 * Tells of every ack of a message from the shards' queues, by whichever program of this process, when it is written: what was handled
 * and not acked may not have been committed. Costs the same on all sides.
 */
export async function watchAcks(url: string, prefix: string, acked: Acked): Promise<void> {
  const model = await connect(url);
  const prototype = Object.getPrototypeOf(await model.createChannel()) as Channel;
  await model.close();
  const channels = new WeakMap<Channel, Open>();
  // eslint-disable-next-line typescript/unbound-method -- both are called with their channel
  const { consume, ack } = prototype;

  prototype.consume = function (this: Channel, queue, onMessage, options) {
    const isShard = queue.startsWith(prefix) && /^\d+$/.test(queue.slice(prefix.length));
    if (!isShard) return consume.call(this, queue, onMessage, options);
    const open: Open = channels.get(this) ?? new Map();
    channels.set(this, open);
    const watched = (message: ConsumeMessage | null): void => {
      if (message !== null) open.set(message.fields.deliveryTag, message);
      onMessage(message);
    };
    return consume.call(this, queue, watched, options);
  };

  prototype.ack = function (this: Channel, message, allUpTo = false) {
    ack.call(this, message, allUpTo);
    const open = channels.get(this);
    if (open === undefined) return;
    const { deliveryTag } = message.fields;
    const settled: ConsumeMessage[] = [];
    if (!allUpTo) {
      const one = open.get(deliveryTag);
      if (one !== undefined) settled.push(one);
      open.delete(deliveryTag);
    } else {
      for (const [tag, one] of open) {
        if (tag > deliveryTag) break;
        settled.push(one);
        open.delete(tag);
      }
    }
    acked(settled);
  };
}
