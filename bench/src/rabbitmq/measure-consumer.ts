import { setTimeout as sleep } from 'node:timers/promises';
import { processCpu } from '../harness/cpu-clock.js';
import { type Measurement, Stopwatch } from '../harness/measurement.js';
import { type ConsumerName, CONSUMERS } from './consumers.js';
import type { QueueType } from './queues.js';
import { now, type Reading } from './reading.js';

/** One run of a consumer in a process of its own. */
export interface ConsumerPlan {
  readonly consumer: ConsumerName;
  readonly url: string;
  readonly prefix: string;
  readonly type: QueueType;
  /** The broker's process. */
  readonly broker: number;
  /** How long a handler works. Milliseconds; with 0 it returns at once. */
  readonly work: number;
  /** Messages after which the run is over; with a warm-up there are more. */
  readonly messages: number;
  /**
   * `rate`: from the first to the last message. `latency`: from publishing to the start of the handler. Both leave out
   * the first `unmeasured` messages. `startUp`: from the start to the first message.
   */
  readonly look: 'rate' | 'latency' | 'startUp';
  readonly unmeasured: number;
}

/** The last message is handled, but not acked yet. Milliseconds. */
const LAST_ACKS = 50;

/** How long a consumer may take to leave. Milliseconds. */
const LEAVE = 3_000;

/** @param ready called when the consumer is started */
export async function measureConsumer(plan: ConsumerPlan, ready: () => void): Promise<Measurement> {
  const { consumer, url, prefix, type, look } = plan;
  const observer = OBSERVERS[look](plan);
  const { work } = plan;
  const handle =
    work === 0
      ? (reading: Reading): void => observer.handled(reading)
      : async (reading: Reading): Promise<void> => {
          await sleep(work);
          observer.handled(reading);
        };
  const close = await CONSUMERS[consumer]({ url, prefix, type, handle });
  ready();
  const measurement = await observer.measured;
  await sleep(LAST_ACKS);
  // Messages that lie behind would go on during an orderly end, which not everybody survives; they go with the process.
  if (plan.unmeasured === 0 || look === 'latency') await Promise.race([close(), sleep(LEAVE)]);
  return measurement;
}

interface Observer {
  handled(reading: Reading): void;
  readonly measured: Promise<Measurement>;
}

function observer(make: (done: (measurement: Measurement) => void) => (reading: Reading) => void): Observer {
  let done = (_measurement: Measurement): void => undefined;
  const measured = new Promise<Measurement>((resolve) => {
    done = resolve;
  });
  return { handled: make(done), measured };
}

const OBSERVERS: Record<ConsumerPlan['look'], (plan: ConsumerPlan) => Observer> = {
  rate: ({ messages, unmeasured, broker }) =>
    observer((done) => {
      let handled = 0;
      let watch: Stopwatch;
      let brokerFrom: number | undefined;
      return () => {
        if (++handled === unmeasured + 1) {
          watch = new Stopwatch();
          brokerFrom = processCpu(broker);
        } else if (handled === messages) {
          const counted = messages - unmeasured - 1;
          const measured = watch.stop(counted);
          const brokerTo = processCpu(broker);
          const core = measured.cpu / 1_000 / measured.milliseconds;
          const known = brokerFrom !== undefined && brokerTo !== undefined;
          done({ ...measured, figures: { core, ...(known ? { broker: (brokerTo - brokerFrom!) / counted } : {}) } });
        }
      };
    }),

  latency: ({ messages, unmeasured }) =>
    observer((done) => {
      let handled = 0;
      let watch: Stopwatch;
      const waits = new Float64Array(messages - unmeasured);
      return ({ sent }) => {
        const wait = now() - sent;
        const index = handled++ - unmeasured;
        if (index === 0) watch = new Stopwatch();
        if (index >= 0) waits[index] = wait / 1_000;
        if (handled < messages) return;
        waits.sort();
        const at = (share: number): number => waits[Math.floor(waits.length * share)]!;
        done(watch.stop(waits.length - 1, { p50: at(0.5), p99: at(0.99), p999: at(0.999) }));
      };
    }),

  startUp: ({ messages }) => {
    const watch = new Stopwatch();
    const from = performance.now();
    return observer((done) => {
      let handled = 0;
      let first = 0;
      let sinceProcess = 0;
      return () => {
        if (++handled === 1) {
          sinceProcess = performance.now();
          first = sinceProcess - from;
        }
        if (handled === messages) done(watch.stop(messages, { first, sinceProcess, all: performance.now() - from }));
      };
    });
  },
};
