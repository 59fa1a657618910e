import type { Channel, ChannelModel } from 'amqplib';
import { FakeClock } from '../../core/test/support/fake-clock.js';
import { ProcessWatch } from '../src/signals/process-watch.js';

/** A broker where some processes live; it counts the channels that are opened. */
class Broker {
  opened = 0;
  readonly living = new Set(['p', 'q']);
  answers = true;

  readonly current = { createChannel: async () => this.channel() } as unknown as ChannelModel;

  private channel(): Channel {
    this.opened++;
    const checkQueue = (process: string): Promise<unknown> =>
      this.answers
        ? this.living.has(process)
          ? Promise.resolve()
          : Promise.reject(Object.assign(new Error('closed'), { code: 404 }))
        : new Promise(() => undefined);
    const channel = { pending: [], on: () => channel, once: () => channel, close: async () => undefined, checkQueue };
    return channel as unknown as Channel;
  }
}

function start() {
  const broker = new Broker();
  const clock = new FakeClock();
  const gone: string[] = [];
  const watch = new ProcessWatch(broker, clock, (call) => gone.push(call));
  return { broker, clock, gone, watch };
}

test('a process is looked for once in a while, however many of its signals wait', async () => {
  const { broker, clock, gone, watch } = start();
  for (let n = 0; n < 1_000; n++) watch.begin(n % 2 === 0 ? 'p' : 'q', `call ${n}`);
  await clock.advance(500);
  expect(broker.opened).toBe(2);
  broker.living.delete('q');
  await clock.advance(500);
  expect(broker.opened).toBe(4);
  expect(gone).toHaveLength(500);
  expect(new Set(gone.map((call) => Number(call.slice(5)) % 2))).toEqual(new Set([1]));
});

test('it ends with the last signal', async () => {
  const { broker, clock, watch } = start();
  watch.begin('p', 'a');
  watch.begin('p', 'b');
  watch.end('p', 'a');
  expect(clock.pending).toBe(1);
  watch.end('p', 'b');
  expect(clock.pending).toBe(0);
  await clock.advance(10_000);
  expect(broker.opened).toBe(0);
});

test('a broker that does not answer is asked once', async () => {
  const { broker, clock, watch } = start();
  broker.answers = false;
  watch.begin('p', 'a');
  await clock.advance(10_000);
  expect(broker.opened).toBe(1);
});
