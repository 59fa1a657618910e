import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SampleProcess } from '#support/sample-process.js';

/** A PGlite alone takes seconds to begin; the limit is for machines that are busy with other things. */
const PATIENCE = 240_000;

describe('npm run ledger', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ledger-test-'));
  });

  afterEach(async () => {
    await SampleProcess.endAll();
    await rm(folder, { recursive: true });
  });

  function start(...args: string[]): SampleProcess {
    return new SampleProcess('ledger', args, { TMPDIR: folder });
  }

  it(
    'verifies the embedded ledger, whose worker is killed, and leaves nothing of it',
    async () => {
      const ledger = start('--transfers=100', '--kills=1');
      expect({ status: await ledger.ended, errors: ledger.errors }).toEqual({ status: 0, errors: '' });
      expect(ledger.output).toMatch(/^killed the worker with -9 \(1\.\)$/m);
      expect(ledger.output).toMatch(/^Sum of all balances {3}400\.00, as it was$/m);
      expect(ledger.output).toMatch(/^Each transfer once {4}100 of 100$/m);
      expect(ledger.lastLine).toBe('VERIFIED, though the worker was killed 1 time');
      expect(ledger.output).not.toMatch(/\r|.{81}/);
      expect(await readdir(folder)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'leaves nothing when it is interrupted',
    async () => {
      const ledger = start();
      await ledger.printed(/Starting the ledger/);
      expect(await ledger.kill('SIGINT')).toBe(130);
      expect(await readdir(folder)).toEqual([]);
    },
    PATIENCE,
  );

  it('says in one line that no PostgreSQL can be reached, and ends with status 1', async () => {
    const ledger = start('--postgres=postgres://me:secret@127.0.0.1:1/db');
    expect(await ledger.ended).toBe(1);
    expect(ledger.errors).toMatch(
      /^The worker ended \(1\): PostgreSQL cannot be reached \([^\n]*\): start it[^\n]*\n$/,
    );
    expect(`${ledger.output}${ledger.errors}`).not.toContain('secret');
  });

  it('explains an option that it does not know, and ends with status 2', async () => {
    const ledger = start('--fast');
    expect(await ledger.ended).toBe(2);
    expect(ledger.errors).toMatch(/^Unknown option '--fast'\.[^\n]*\n\nUsage: npm run ledger/);
  });
});
