import { DataUpdaterService, encodeShardingKey, EventsProducer } from '@mississippi/core';
import { PGlite } from '@electric-sql/pglite';
import { FileRecorder, type MessageRef } from '@mississippi/history';
import { endWithParent, startApp } from '../app.js';
import { mutantOf } from '../mutants/mutants.js';
import { DRAIN_TIMEOUT, planOf, type Answer, type Command } from '../protocol.js';
import { Publishing, type Body } from '../publishing.js';
import { Signals } from '../signals.js';
import { resumeParked } from './resume-parked.js';
import { bookingOf } from './bookings.js';
import { rowsLeft } from './books.js';
import { SCHEMA } from './database.js';
import { EmbeddedTransactions } from './embedded-transactions.js';
import { Enqueuer } from './enqueuer.js';
import { BAD_KEYS, badRowTrigger, OWN_DDL } from './own-tables.js';
import { Steps } from './steps.js';

/** How often it is looked whether all is handled. Milliseconds. */
const LOOK = 200;

endWithParent();
const plan = planOf(process.argv[2]);
const publishing = new Publishing(plan);
const recorder = new FileRecorder(plan.folder, plan.name);
mutantOf('workers')?.plant((mutant) => recorder.record({ type: 'struck', mutant }));
const steps = new Steps(plan.folder, plan.name);
const pglite = new PGlite(plan.store!.url);
const database = {
  rows: async <T extends object>(sql: string, params?: readonly unknown[]): Promise<T[]> =>
    (await pglite.query<T>(sql, [...(params ?? [])])).rows,
};
process.on('message', (command: Command) => {
  if (command.type === 'arm') steps.arm(command.point, command.fault);
  else if (command.type === 'disarm') steps.disarm();
});
if ((await database.rows(`SELECT FROM pg_namespace WHERE nspname = 'chaos'`)).length === 0) {
  await pglite.transaction(async (transaction) => void (await transaction.exec(OWN_DDL)));
}
const app = await startApp(
  plan,
  recorder,
  { drainTimeout: DRAIN_TIMEOUT, publishTimeout: Infinity },
  undefined,
  steps,
  pglite,
);
if ((await database.rows(`SELECT FROM pg_trigger WHERE tgname = 'refuse_bad'`)).length === 0) {
  await pglite.exec(badRowTrigger(SCHEMA));
}
const service = app.get(DataUpdaterService);
const producer = app.get(EventsProducer);
resumeParked(service, plan.folder);
const signals = new Signals(plan.name, service, recorder);

function messageOf({ key, seq }: MessageRef): Body {
  return { payload: bookingOf('published', key, seq, plan), garbled: false };
}

/** Once nothing is left: a row goes with the commit that finishes its message. */
async function tell(): Promise<void> {
  for (;;) {
    const { outbox, enqueued } = await rowsLeft(database, SCHEMA);
    if (outbox + enqueued === 0) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
  process.send?.({ type: 'quiet' } satisfies Answer);
}

const enqueuer = new Enqueuer(producer, plan, new EmbeddedTransactions(pglite), (booking) => booking);
publishing.start(producer, recorder, messageOf, enqueuer, () => void tell());

process.on('message', (command: Command) => {
  if (command.type === 'signal') signals.send(command);
  else if (command.type === 'finish') publishing.finish();
  else if (command.type === 'spoil') void spoil(command.key, command.length);
});

/** The database refuses the key's state for a while. */
async function spoil(key: string, length: number): Promise<void> {
  const bytes = encodeShardingKey(key);
  await pglite.query(`INSERT INTO ${BAD_KEYS} VALUES ($1) ON CONFLICT DO NOTHING`, [bytes]);
  await new Promise((resolve) => setTimeout(resolve, length));
  await pglite.query(`DELETE FROM ${BAD_KEYS} WHERE key = $1`, [bytes]);
}

process.once('SIGTERM', () => {
  recorder.record({ type: 'leaving' });
  void app
    .close()
    .then(() => pglite.close())
    .then(() => process.exit(0));
});
// Whoever was killed meanwhile has healed nothing.
await pglite.query(`DELETE FROM ${BAD_KEYS}`);
recorder.record({ type: 'up' });
process.send?.({ type: 'up' } satisfies Answer);
