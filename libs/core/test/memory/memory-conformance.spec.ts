import { transportConformance } from '@mississippi/testing/transport';
import { MemoryHarness } from './memory-harness.js';
import { SlowHarness } from './slow-harness.js';

/** The embedded transport lives in one process. */
const withoutSignals = transportConformance.filter(({ needs }) => !needs.includes('signals'));

describe('the embedded transport', () => {
  test.each(withoutSignals)('$name', ({ run }) => run(new MemoryHarness()));
});

describe('behind a slow line', () => {
  test.each(transportConformance)('$name', ({ run }) => run(new SlowHarness()));
});
