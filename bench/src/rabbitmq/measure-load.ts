import { setTimeout as sleep } from 'node:timers/promises';
import type { Measurement } from '../harness/measurement.js';
import { Stopwatch } from '../harness/measurement.js';
import { addresses, openConnection } from './queues.js';
import { now, properties, readingBody, type Wording } from './reading.js';

/** Publishes evenly, beside a consumer that is measured. */
export interface LoadPlan {
  readonly url: string;
  readonly prefix: string;
  readonly wording: Wording;
  readonly keys: number;
  readonly messages: number;
  /** Messages per second. */
  readonly rate: number;
}

export async function publishEvenly({ url, prefix, wording, keys, messages, rate }: LoadPlan): Promise<Measurement> {
  const model = await openConnection(url);
  const channel = await model.createConfirmChannel();
  const all = addresses(prefix, keys);
  const watch = new Stopwatch();
  const from = now();
  for (let sent = 0; sent < messages;) {
    const due = Math.min(messages, Math.ceil(((now() - from) / 1e6) * rate));
    for (; sent < due; sent++) {
      const address = all[sent % keys]!;
      channel.publish('', address.queue, readingBody(wording, sent, now()), properties(address));
    }
    await sleep(1);
  }
  await channel.waitForConfirms();
  const measured = watch.stop(messages);
  await model.close();
  return measured;
}
