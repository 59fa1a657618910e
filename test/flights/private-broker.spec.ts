import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findServer } from '../support/broker.js';
import { answersAt, otherAddresses } from '../support/listeners.js';
import { FlightsProcess } from './flights-process.js';

/** It takes seconds; the limit is for machines that are busy with other things. */
const PATIENCE = 240_000;

/** Where it waits for other Erlang nodes, as it has logged. */
function distributionPort(folder: string): number {
  const log = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) =>
    /log\/mississippi.*\.log$/.test(name),
  );
  const [, port] = /\(distribution\) port: (\d+)/.exec(readFileSync(path.join(folder, log!), 'utf8'))!;
  return Number(port);
}

const installed = findServer() === 'installed';

describe('The sample with a RabbitMQ of its own', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'flights-test-'));
  });

  afterEach(async () => {
    await FlightsProcess.endAll();
    await rm(folder, { recursive: true });
  });

  function start(...args: string[]): FlightsProcess {
    return new FlightsProcess(['--rabbitmq', ...args], { TMPDIR: folder });
  }

  if (!installed) {
    it('says in two lines how to get one, and ends with status 2', async () => {
      const flights = start('--exit');
      expect(await flights.ended).toBe(2);
      expect(flights.errors).toMatch(/^There is no RabbitMQ here to start: [^\n]+\nOr [^\n]+\n$/);
    });
    return;
  }

  it(
    'verifies every airport, and leaves nothing of it',
    async () => {
      const flights = start('--exit');
      expect(await flights.ended).toBe(0);
      expect(flights.lastLine).toBe('220 of 220 airports verified');
      expect(flights.errors).toBe('');
      expect(await readdir(folder)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'lets nobody from elsewhere speak Erlang to it',
    async () => {
      const flights = start();
      await flights.printed(/flights handled/);
      const port = distributionPort(folder);
      expect(await answersAt('127.0.0.1', port)).toBe(true);
      for (const address of otherAddresses())
        expect([address, await answersAt(address, port)]).toEqual([address, false]);
    },
    PATIENCE,
  );

  it(
    'leaves nothing of it when it is killed',
    async () => {
      const changes = watch(folder, { signal: AbortSignal.timeout(PATIENCE) });
      const flights = start();
      await flights.printed(/flights handled/);
      expect(await readdir(folder)).toHaveLength(1);
      await flights.kill('SIGKILL');
      for await (const _ of changes) if ((await readdir(folder)).length === 0) break;
      expect(await readdir(folder)).toEqual([]);
    },
    PATIENCE,
  );
});
