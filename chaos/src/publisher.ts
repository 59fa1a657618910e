import { DataUpdaterService, EventsProducer } from '@mississippi/core';
import { FileRecorder, type MessageRef } from '@mississippi/history';
import { ConsoleLogger } from '@nestjs/common';
import { endWithParent, startApp } from './app.js';
import { mutantOf } from './mutants/mutants.js';
import { planOf, type Answer, type Command } from './protocol.js';
import { Publishing, type Body } from './publishing.js';
import { Signals } from './signals.js';
import { bodyOf as bookingBody, bookingOf } from './store/bookings.js';
import { Enqueuer } from './store/enqueuer.js';
import { ServerTransactions } from './store/server-transactions.js';
import { bodyOf, isReadable } from './tasks.js';

endWithParent();
const plan = planOf(process.argv[2]);
const publishing = new Publishing(plan);
const recorder = new FileRecorder(plan.folder, plan.name);
mutantOf('publishers')?.plant((mutant) => recorder.record({ type: 'struck', mutant }));

/** Tells the history when the connection was lost, which the library says in its log. */
class WatchingLogger extends ConsoleLogger {
  override warn(message: unknown, ...rest: string[]): void {
    if (/publishes' to RabbitMQ was lost/.test(String(message))) recorder.record({ type: 'interrupted' });
    super.warn(message, ...rest);
  }
}

const app = await startApp(
  plan,
  recorder,
  { producerOnly: true, payload: 'bytes', publishTimeout: Infinity },
  new WatchingLogger({ colors: false }),
);
const producer = app.get(EventsProducer);
const signals = new Signals(plan.name, app.get(DataUpdaterService), recorder);
const { store } = plan;

function messageOf(ref: MessageRef): Body {
  if (store === undefined) {
    const payload = bodyOf(ref, plan);
    return { payload, garbled: !isReadable(payload) };
  }
  const booking = bookingOf('published', ref.key, ref.seq, plan);
  return { payload: bookingBody(booking), garbled: booking === undefined };
}

const enqueuer =
  store === undefined ? undefined : new Enqueuer(producer, plan, new ServerTransactions(store.url), bookingBody);
const tell = (): void => void process.send?.({ type: 'quiet' } satisfies Answer);
publishing.start(producer, recorder, messageOf, enqueuer, tell);

process.on('message', (command: Command) => {
  if (command.type === 'signal') signals.send(command);
  else if (command.type === 'replay') publishing.replay(command.key, command.seq);
  else if (command.type === 'goOn') publishing.goOn();
  else if (command.type === 'pause') publishing.pause();
  else if (command.type === 'finish') publishing.finish();
});
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
recorder.record({ type: 'up' });
process.send?.({ type: 'up' } satisfies Answer);
