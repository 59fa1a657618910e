import { storeConformance } from '@mississippi/testing/store';
import { PostgresHarness } from '../support/postgres-harness.js';

describe('the store on a PostgreSQL server', () => {
  const harness = new PostgresHarness();

  afterAll(() => harness.close());

  test.each(storeConformance)('$name', ({ run }) => run(harness));
});
