import { transportConformance } from '@mississippi/testing';
import { MemoryHarness } from './memory-harness.js';
import { SlowHarness } from './slow-harness.js';

describe('the embedded transport', () => {
  test.each(transportConformance)('$name', ({ run }) => run(new MemoryHarness()));
});

describe('behind a slow line', () => {
  test.each(transportConformance)('$name', ({ run }) => run(new SlowHarness()));
});
