import { blockedCases } from './cases/blocked.cases.js';
import { certaintyCases } from './cases/certainty.cases.js';
import { deadLetterCases } from './cases/dead-letter.cases.js';
import { deadLetterReaderCases } from './cases/dead-letter-reader.cases.js';
import { deliveryCases } from './cases/delivery.cases.js';
import { fidelityCases } from './cases/fidelity.cases.js';
import { foreignCases } from './cases/foreign.cases.js';
import { messageTypesCases } from './cases/message-types.cases.js';
import { openingCases } from './cases/opening.cases.js';
import { ownershipCases } from './cases/ownership.cases.js';
import { parkedReaderCases } from './cases/parked-reader.cases.js';
import { publishingCases } from './cases/publishing.cases.js';
import { returnCases } from './cases/return.cases.js';
import { settlementCases } from './cases/settlement.cases.js';
import { signalCases } from './cases/signal.cases.js';
import { signalValueCases } from './cases/signal-values.cases.js';
import { sideQueueCases } from './cases/side-queue.cases.js';
import { volumeCases } from './cases/volume.cases.js';
import { windowCases } from './cases/window.cases.js';
import type { ConformanceCase } from './conformance-case.js';

/**
 * What every transport of Mississippi for NestJS promises, one case a promise, for any test runner:
 *
 * ```ts
 * for (const { name, run } of transportConformance) test(name, () => run(harness));
 * ```
 * @publicApi
 */
export const transportConformance: readonly ConformanceCase[] = [
  ...ownershipCases,
  ...openingCases,
  ...certaintyCases,
  ...deliveryCases,
  ...fidelityCases,
  ...foreignCases,
  ...windowCases,
  ...settlementCases,
  ...returnCases,
  ...deadLetterCases,
  ...deadLetterReaderCases,
  ...sideQueueCases,
  ...parkedReaderCases,
  ...publishingCases,
  ...signalCases,
  ...signalValueCases,
  ...messageTypesCases,
  ...blockedCases,
  ...volumeCases,
];
