import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SHARDS } from '../../apps/flights/src/queues.js';
import { sharedUrl } from '../support/broker.js';
import { hasPostgres, PostgresServer } from '../support/postgres-server.js';
import { freePort } from '../support/rabbitmq-node.js';
import { deleteQueues } from '../support/raw-broker.js';
import { FlightsProcess } from './flights-process.js';

const VERIFIED = '220 of 220 airports verified';

/** The limit is for machines that are busy with other things. */
const PATIENCE = 600_000;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'flights-test-'));
});

afterEach(async () => {
  await FlightsProcess.endAll();
  await rm(folder, { recursive: true });
});

/** Killed half-way and started again, with what was left of it and, where that is asked for, with every flight counted before. */
async function survives(args: readonly string[], halfWay: RegExp, again = 1): Promise<void> {
  const killed = new FlightsProcess([...args, '--exit']);
  await killed.printed(halfWay);
  expect(await killed.kill('SIGKILL')).toBe('SIGKILL');
  expect(killed.output).not.toContain('verified');

  for (let time = 1; time <= again; time++) {
    const next = new FlightsProcess([...args, '--exit']);
    expect([time, await next.ended, next.lastLine]).toEqual([time, 0, VERIFIED]);
    expect(next.errors).toBe('');
  }
}

describe('The sample with its statistics in a folder', () => {
  it(
    'counts every flight once, though it was killed half-way and sent all of them again',
    async () => survives([`--store=${path.join(folder, 'new', 'data')}`], /^10,000 of 20,000 flights/m, 2),
    PATIENCE,
  );

  it(
    'does not start while another process has it',
    async () => {
      const store = `--store=${path.join(folder, 'data')}`;
      const first = new FlightsProcess([store]);
      await first.printed(/ of 20,000 flights/);
      const second = new FlightsProcess([store]);
      expect(await second.ended).toBe(1);
      expect(second.errors).toMatch(/^The folder \S+ is open in another process: [^\n]+\n$/);
    },
    PATIENCE,
  );

  it('says in one line that there can be no folder', async () => {
    await writeFile(path.join(folder, 'file'), '');
    const flights = new FlightsProcess([`--store=${path.join(folder, 'file', 'below')}`]);
    expect(await flights.ended).toBe(1);
    expect(flights.errors).toMatch(/^The folder \S+ cannot be used for a PGlite \([^\n]+\): take one [^\n]+\n$/);
  });
});

if (hasPostgres()) {
  describe('The sample with its statistics on a PostgreSQL', () => {
    let server: PostgresServer;

    beforeAll(async () => {
      server = await PostgresServer.start();
    });

    afterAll(async () => server.stop());

    it(
      'counts every flight once over RabbitMQ, though it was killed half-way and published all of them again',
      async () => {
        const prefix = `flights-${randomBytes(4).toString('hex')}-`;
        try {
          const args = [`--rabbitmq=${sharedUrl()}`, '--prefix', prefix, `--store=${server.url}`];
          await survives(args, /^10,000 of 20,000 flights handled/m);
        } finally {
          await FlightsProcess.endAll();
          await deleteQueues(sharedUrl(), prefix, SHARDS);
        }
      },
      PATIENCE,
    );

    it('says in one line that the password is wrong, and does not show it', async () => {
      const url = new URL(server.url);
      url.password = 'wrong';
      const flights = new FlightsProcess([`--store=${url.href}`]);
      expect(await flights.ended).toBe(1);
      expect(flights.errors).toMatch(/^PostgreSQL refuses the login \([^\n]+\): correct the user or the password\.\n$/);
      expect(flights.errors).not.toContain('wrong');
    });

    it(
      'starts one of its own, and leaves nothing of it',
      async () => {
        // The server may run as somebody else, who has to find his folder in there.
        await chmod(folder, 0o755);
        const flights = new FlightsProcess(['--store=postgres', '--exit'], { TMPDIR: folder });
        expect(await flights.ended).toBe(0);
        expect(flights.output).toMatch(/^A PostgreSQL was started for this run only\.$/m);
        expect(flights.lastLine).toBe(VERIFIED);
        expect(flights.errors).toBe('');
        expect(await readdir(folder)).toEqual([]);
      },
      PATIENCE,
    );
  });
}

describe('The sample without its PostgreSQL', () => {
  it('says in one line that none can be reached', async () => {
    const flights = new FlightsProcess([`--store=postgres://me:secret@127.0.0.1:${await freePort()}/db`, '--exit']);
    expect(await flights.ended).toBe(1);
    expect(flights.errors).toMatch(/^PostgreSQL cannot be reached \([^\n]*ECONNREFUSED[^\n]*\): start it, [^\n]+\n$/);
    expect(flights.errors).not.toContain('secret');
    expect(flights.output).toBe('');
  });
});
