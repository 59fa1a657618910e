import { auditCases } from './cases/audit.cases.js';
import { concurrencyCases } from './cases/concurrency.cases.js';
import { connectingCases } from './cases/connecting.cases.js';
import { cutCases } from './cases/cut.cases.js';
import { fencingCases } from './cases/fencing.cases.js';
import { groupCases } from './cases/group.cases.js';
import { inboxCases } from './cases/inbox.cases.js';
import { maintenanceCases } from './cases/maintenance.cases.js';
import { outboxCases } from './cases/outbox.cases.js';
import { resolveCases } from './cases/resolve.cases.js';
import { stateCases } from './cases/state.cases.js';
import { transactionCases } from './cases/transaction.cases.js';
import type { StoreConformanceCase } from './store-case.js';

/**
 * What every store of Mississippi for NestJS promises, one case a promise, for any test runner:
 *
 * ```ts
 * for (const { name, run } of storeConformance) test(name, () => run(harness));
 * ```
 * @publicApi
 */
export const storeConformance: readonly StoreConformanceCase[] = [
  ...connectingCases,
  ...fencingCases,
  ...groupCases,
  ...stateCases,
  ...auditCases,
  ...inboxCases,
  ...outboxCases,
  ...resolveCases,
  ...maintenanceCases,
  ...concurrencyCases,
  ...transactionCases,
  ...cutCases,
];
