import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sharedUrl } from '../support/broker.js';
import { hasPostgres } from '../support/postgres-server.js';
import { deleteQueues } from '../support/raw-broker.js';
import { SampleProcess } from '../support/sample-process.js';

/** A run takes seconds; the limit is for machines that are busy with other things. */
const PATIENCE = 240_000;

describe('npm run ledger over RabbitMQ and a PostgreSQL of its own', () => {
  const name = `ledger_${randomBytes(4).toString('hex')}`;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ledger-test-'));
    await chmod(folder, 0o755); // The server is another user's, where the tests run as root.
  });

  afterAll(async () => {
    await SampleProcess.endAll();
    await deleteQueues(sharedUrl(), `${name}_`, 16);
    await rm(folder, { recursive: true });
  });

  function start(): SampleProcess {
    const args = [`--rabbitmq=${sharedUrl()}`, '--postgres', '--transfers=200', '--kills=2', '--name', name];
    return new SampleProcess('ledger', args, { TMPDIR: folder });
  }

  if (!hasPostgres()) {
    it('says in two lines how to get one, and ends with status 2', async () => {
      const ledger = start();
      expect(await ledger.ended).toBe(2);
      expect(ledger.errors).toMatch(/^There is no PostgreSQL here to start: [^\n]+\nOr [^\n]+\n$/);
    });
    return;
  }

  it(
    'verifies every cent though the worker is killed, and leaves nothing of the server',
    async () => {
      const ledger = start();
      expect({ status: await ledger.ended, errors: ledger.errors }).toEqual({ status: 0, errors: '' });
      expect(ledger.output).toMatch(/^Accounts: a PostgreSQL of this run's own$/m);
      expect(ledger.lastLine).toBe('VERIFIED, though the worker was killed 2 times');
      expect(await readdir(folder)).toEqual([]);
    },
    PATIENCE,
  );
});
