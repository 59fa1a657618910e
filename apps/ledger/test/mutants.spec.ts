import type { Type } from '@nestjs/common';
import type { AccountHandler } from '../src/app/account.handler.js';
import { LedgerService } from '../src/app/ledger.service.js';
import { demonstrate } from '../src/hammer/demonstration.js';
import { Seeded } from '#support/seeded.js';
import { EagerHandler, GenerousHandler, InterruptedHandler, KeylessService } from './mutants.js';
import { ledger, startApp } from './support.js';

/** What the verification says after a run of an app in this process, which nobody kills. */
async function faultsOf(handler: Type<AccountHandler>, service: Type<LedgerService> = LedgerService): Promise<string> {
  const app = await startApp(ledger(handler), (builder) => builder.overrideProvider(LedgerService).useClass(service));
  try {
    const url = await app.getUrl();
    const seeded = new Seeded(7);
    const plan = { transfers: 150, accounts: 4, kills: 0, clients: 16, run: 'run', random: () => seeded.next() };
    const worker = { url: async () => url, kill: async () => undefined, start: async () => url };
    const progress = { show: () => undefined, stop: () => undefined };
    const { verification } = await demonstrate(plan, worker, progress);
    return verification.faults.join('\n');
  } finally {
    await app.close();
  }
}

describe('The hammer', () => {
  it('verifies the ledger, though every message is interrupted once', async () => {
    expect(await faultsOf(InterruptedHandler)).toBe('');
  });

  it('finds out a handler that publishes by EventsProducer', async () => {
    expect(await faultsOf(EagerHandler)).toMatch(/together, and were [^]*credited 2 times/);
  });

  it('finds out a handler that does not ask for the limit', async () => {
    expect(await faultsOf(GenerousHandler)).toMatch(/below its limit of -100.00/);
  });

  it('finds out requests whose idempotency key is not the id of the message', async () => {
    expect(await faultsOf(InterruptedHandler, KeylessService)).toMatch(/debited 2, /);
  });
});
