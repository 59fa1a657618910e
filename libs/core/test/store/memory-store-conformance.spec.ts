import { storeConformance } from '@mississippi/testing/store';
import { MemoryStoreHarness } from './memory-store-harness.js';

describe('the store in memory', () => {
  test.each(storeConformance)('$name', ({ run }) => run(new MemoryStoreHarness()));
});
