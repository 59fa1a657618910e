import { randomBytes } from 'node:crypto';
import { EventsProducer, MississippiModule } from '@mississippi/core';
import { Test } from '@nestjs/testing';
import type { Flight } from '../../apps/flights/src/flight.js';
import { readFlights } from '../../apps/flights/src/flights-file.js';
import { queues as shards, SHARDS } from '../../apps/flights/src/queues.js';
import { sharedUrl } from '../support/broker.js';
import { deleteQueues } from '../support/raw-broker.js';
import { FlightsProcess } from './flights-process.js';

const VERIFIED = '220 of 220 airports verified';

/** A replay of everything takes seconds; the limit is for machines that are busy with other things. */
const PATIENCE = 240_000;

describe('The sample over RabbitMQ', () => {
  let prefix: string;
  let queues: string[];

  beforeEach(() => {
    prefix = `flights-${randomBytes(4).toString('hex')}-`;
    queues = [`--rabbitmq=${sharedUrl()}`, '--prefix', prefix];
  });

  afterEach(async () => {
    await FlightsProcess.endAll();
    await deleteQueues(sharedUrl(), prefix, SHARDS);
  });

  it(
    'verifies every airport',
    async () => {
      const flights = new FlightsProcess([...queues, '--exit']);
      expect(await flights.ended).toBe(0);
      expect(flights.output).toMatch(/^20,000 of 20,000 flights handled, 20,000 published, [\d,]+ flights\/s$/m);
      expect(flights.lastLine).toBe(VERIFIED);
      expect(flights.errors).toBe('');
    },
    PATIENCE,
  );

  it(
    'says why it cannot verify flights of an earlier run whose statistics are gone, and verifies the next time',
    async () => {
      const flights = (await readFlights()).filter(({ origin }) => origin === 'ORD');
      await publish(flights.slice(-2), prefix);

      const run = new FlightsProcess([...queues, '--exit']);
      expect(await run.ended).toBe(1);
      expect(run.output).toMatch(/^2 flights of an earlier run were still in the queues/m);
      expect(run.output).toMatch(/^MISMATCH ORD departures: expected 1095, the app says 1097$/m);
      expect(run.output).toMatch(/^The queues held flights of an earlier run/m);
      expect(run.lastLine).toBe('219 of 220 airports verified');

      const next = new FlightsProcess([...queues, '--exit']);
      expect(await next.ended).toBe(0);
    },
    PATIENCE,
  );

  it(
    'closes at Ctrl-C, in the middle and while it serves',
    async () => {
      const interrupted = new FlightsProcess(queues);
      await interrupted.printed(/^4,000 of 20,000 flights handled/m);
      expect(await interrupted.kill('SIGINT')).toBe('SIGINT');
      expect(interrupted.lastLine).toMatch(/^Interrupted after [\d,]+ of 20,000 flights\.$/);
      expect(interrupted.errors).toBe('');

      const serving = new FlightsProcess(queues);
      await serving.printed(/ airports verified$/m);
      const [, url] = /(http:\S+\/health)/.exec(serving.output) ?? [];
      expect(await (await fetch(url ?? '')).json()).toMatchObject({
        details: { mississippi: { status: 'up', connected: true, shards: SHARDS } },
      });
      expect(await serving.kill('SIGINT')).toBe('SIGINT');
      expect(serving.errors).toBe('');
    },
    PATIENCE,
  );
});

/** What a run that ended before its flights were handled leaves in the queues. */
async function publish(flights: readonly Flight[], prefix: string): Promise<void> {
  const transport = shards(sharedUrl(), prefix);
  const module = await Test.createTestingModule({
    imports: [MississippiModule.forRoot({ producerOnly: true, transport })],
  }).compile();
  const app = await module.init();
  const producer = app.get(EventsProducer);
  for (const flight of flights) await producer.publish(flight, { shardingKey: flight.origin });
  await app.close();
}
