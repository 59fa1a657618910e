import { fileURLToPath } from 'node:url';
import { Seeded } from '#support/seeded.js';
import { demonstrate } from '../../apps/ledger/src/hammer/demonstration.js';
import type { Verification } from '../../apps/ledger/src/hammer/verify.js';
import { WorkerProcess } from '../../apps/ledger/src/hammer/worker-process.js';
import { newSchema } from '../support/postgres-schemas.js';
import { sharedPostgres } from '../support/postgres.js';

const LEDGER = fileURLToPath(new URL('../../apps/ledger/dist/worker.js', import.meta.url));
const EAGER = fileURLToPath(new URL('../support/worker/eager-ledger.mjs', import.meta.url));

/** A run takes seconds; the limit is for machines that are busy with other things. */
const PATIENCE = 240_000;

/** Hammers a worker in a process of its own, and kills it. */
async function run(script: string, kills: number): Promise<{ kills: number; verification: Verification }> {
  const worker = new WorkerProcess({ name: newSchema(), postgres: sharedPostgres(), folder: '' }, script);
  const seeded = new Seeded(11);
  try {
    await worker.start();
    const plan = { transfers: 300, accounts: 5, kills, clients: 16, run: 'run', random: () => seeded.next() };
    const { run, verification } = await demonstrate(plan, worker, { show: () => undefined, stop: () => undefined });
    return { kills: run.kills, verification };
  } finally {
    await worker.stop();
  }
}

describe('The ledger whose worker is killed', () => {
  it(
    'has each transfer once, and every cent',
    async () => {
      const { kills, verification } = await run(LEDGER, 3);
      expect(kills).toBe(3);
      expect(verification).toMatchObject({ faults: [], sum: 50_000 });
      expect(verification.booked + verification.refused).toBe(300);
    },
    PATIENCE,
  );

  it(
    'would have credits twice if the handler published them by EventsProducer',
    async () => {
      const { verification } = await run(EAGER, 3);
      expect(verification.faults.join('\n')).toMatch(/credited 2 times/);
    },
    PATIENCE,
  );
});
