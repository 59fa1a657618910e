import {
  DataUpdaterService,
  EventsProducer,
  NoOwnerError,
  SignalOutcomeUnknownError,
  SignalTimeoutError,
} from '@mississippi/core';
import { FileRecorder, readHistoryOf, refOf, refOfId, type MessageRef, type SignalEnd } from '@mississippi/history';
import { ConsoleLogger } from '@nestjs/common';
import { Seeded } from '#support/seeded.js';
import { endWithParent, startApp } from './app.js';
import { Popularity, shuffled } from './popularity.js';
import { mutantOf } from './mutants/mutants.js';
import { keysOf, planOf, type Answer, type Command, type OperatorSignal } from './protocol.js';
import { bodyOf, hash, isReadable } from './tasks.js';

/** How often what is due is published. Milliseconds. */
const BEAT = 20;

/** Messages under way above which publishing rests. */
const MOST_UNCONFIRMED = 500;

endWithParent();
const plan = planOf(process.argv[2]);
const place = plan.name.split('.')[0]!;
const random = new Seeded(plan.seed ^ hash(plan.name));
const rate = plan.rate / plan.publishers;
// Whoever runs here has the same hot keys.
const popularity = new Popularity(shuffled(keysOf(plan), new Seeded(plan.seed ^ hash(place))), rate, random);
const next = new Map<string, number>();
const left = unconfirmedOfPredecessors();
const recorder = new FileRecorder(plan.folder, plan.name);
let unconfirmed = 0;
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
const operator = app.get(DataUpdaterService);

/** What an earlier process in this place published and does not know to be confirmed; and where each key goes on. */
function unconfirmedOfPredecessors(): MessageRef[] {
  const open = new Map<string, MessageRef>();
  for (const event of readHistoryOf(plan.folder, place)) {
    if (event.type === 'published') {
      open.delete(event.id);
      open.set(event.id, refOfId(event.id));
      next.set(event.key, Math.max(next.get(event.key) ?? 0, event.seq + 1));
    } else if (event.type === 'confirmed' || event.type === 'refused') {
      open.delete(event.id);
    }
  }
  return [...open.values()];
}

function publish(ref: MessageRef): void {
  unconfirmed++;
  const body = bodyOf(ref, plan);
  recorder.record({ type: 'published', ...ref, garbled: !isReadable(body) });
  producer.publish(body, { shardingKey: ref.key, messageId: ref.id }).then(
    () => {
      unconfirmed--;
      recorder.record({ type: 'confirmed', ...ref });
    },
    (error: unknown) => {
      unconfirmed--;
      console.error(`${ref.id} was refused: ${String(error)}`);
      recorder.record({ type: 'refused', ...ref });
    },
  );
}

function publishNext(): void {
  const key = `k${popularity.next()}`;
  const seq = next.get(key) ?? 0;
  next.set(key, seq + 1);
  publish(refOf(key, seq));
}

// First of all what may be missing, in its old order: only then the keys go on without a gap.
for (const ref of left) publish(ref);
let paused = false;
let finishing = false;
/** Whoever paused or finished this process waits to hear that everything is confirmed. */
let toTell = false;
let due = 0;
let then = performance.now();
const beat = setInterval(() => {
  const now = performance.now();
  // What a stop of this process has missed is not made up for.
  due += (rate * Math.min(now - then, 5 * BEAT)) / 1_000;
  then = now;
  const rests = paused || finishing;
  for (; due >= 1 && unconfirmed < MOST_UNCONFIRMED && !rests; due--) publishNext();
  due = Math.min(due, rate);
  if (!toTell || unconfirmed > 0) return;
  toTell = false;
  if (finishing) clearInterval(beat);
  process.send?.({ type: 'quiet' } satisfies Answer);
}, BEAT);

let signals = 0;

/** What a caller may make of the end of his signal. */
function endOf(error: unknown): SignalEnd {
  if (error instanceof SignalTimeoutError) return error.started ? 'unknown' : 'notRun';
  if (error instanceof NoOwnerError) return 'notRun';
  return error instanceof SignalOutcomeUnknownError ? 'unknown' : 'failed';
}

function signal({ key, call, wait, timeout }: Extract<Command, { type: 'signal' }>): void {
  const id = `${plan.name}:${++signals}`;
  if (call !== 'wait') recorder.record({ type: 'operator', call, key });
  recorder.record({ type: 'signalled', id, key, timeout });
  operator.handleSignal(key, { id, call, wait } satisfies OperatorSignal, { timeout }).then(
    () => recorder.record({ type: 'signalEnded', id, key, how: 'answered' }),
    (error: unknown) => {
      console.error(`the signal ${id} (${call}) to ${key} was not answered: ${String(error)}`);
      recorder.record({ type: 'signalEnded', id, key, how: endOf(error) });
    },
  );
}

process.on('message', (command: Command) => {
  if (command.type === 'signal') signal(command);
  else if (command.type === 'goOn') paused = toTell = false;
  else {
    if (command.type === 'pause') paused = true;
    else finishing = true;
    toTell = true;
  }
});
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
recorder.record({ type: 'up' });
process.send?.({ type: 'up' } satisfies Answer);
