import { processCpu } from '../harness/cpu-clock.js';
import { type Measurement, Stopwatch } from '../harness/measurement.js';
import { type OpenPublisher, type PublisherName, PUBLISHERS } from './publishers.js';
import { type Address, addresses } from './queues.js';

/** One run of a publisher in a process of its own. */
export interface PublisherPlan {
  readonly publisher: PublisherName;
  readonly url: string;
  readonly prefix: string;
  readonly broker: number;
  readonly keys: number;
  readonly messages: number;
  readonly warmUp: number;
  /** Unconfirmed messages at once. */
  readonly window: number;
}

export async function measurePublisher(plan: PublisherPlan): Promise<Measurement> {
  const { publisher, url, prefix, broker, keys, messages, warmUp, window } = plan;
  const open: OpenPublisher = await PUBLISHERS[publisher](url, prefix);
  const all = addresses(prefix, keys);
  await publishAll(open, all, warmUp, window);
  const watch = new Stopwatch();
  const brokerFrom = processCpu(broker);
  await publishAll(open, all, messages, window);
  const measured = watch.stop(messages);
  const brokerTo = processCpu(broker);
  await open.close();
  if (brokerFrom === undefined || brokerTo === undefined) return measured;
  return { ...measured, figures: { broker: (brokerTo - brokerFrom) / messages } };
}

/** What fills a message to about 128 bytes of JSON on every side. */
const NOTE = 'x'.repeat(90);

/** Keeps the window full until the last message is confirmed. */
function publishAll(
  { publish }: OpenPublisher,
  all: readonly Address[],
  messages: number,
  window: number,
): Promise<void> {
  return new Promise((resolve) => {
    let sent = 0;
    let confirmed = 0;
    const send = (): void => {
      const sequence = sent++;
      publish(all[sequence % all.length]!, { sequence: 1_000_000 + sequence, sent: 0, note: NOTE }, onConfirm);
    };
    const onConfirm = (): void => {
      if (++confirmed === messages) resolve();
      else if (sent < messages) send();
    };
    while (sent < Math.min(window, messages)) send();
  });
}
