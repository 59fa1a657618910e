import { audit, expectedOf, type Books, type StorePromised } from '../src/store/audit.js';
import type { Ledger } from '../src/store/ledger.js';

const PLAN = { seed: 1, keys: 5 };
const EACH = new Map(['k0', 'k1', 'k2', 'k3', 'k4'].map((key) => [key, 200]));

interface Open extends Books {
  readonly ledgers: Map<string, Ledger>;
  readonly written: Map<string, number>;
  readonly totals: Map<string, number>;
}

const expected = () => expectedOf({ published: EACH, enqueued: EACH }, PLAN);

/** What a database has where all went as it should. */
function books(): Open {
  const { ledgers, written, totals } = expected();
  return { ledgers, written: new Map([...written].map((row) => [row, 1])), totals, outbox: 0, enqueued: 0 };
}

const brokenBy = (is: Books): string[] =>
  Object.entries(audit(is, expected()))
    .filter(([, found]) => found.length > 0)
    .map(([promise]) => promise);

test('what was published decides what must be there', () => {
  expect(brokenBy(books())).toEqual([]);
  const { messages, letters, written } = expected();
  expect([messages > 2_000, letters.size > 10, written.size > 200]).toEqual([true, true, true]);
});

test.each<[string, StorePromised, (is: Open) => void]>([
  ['a message of its own less', 'state', ({ ledgers }) => void ledgers.get('k1')!.pages['published k1']!.count--],
  ['another order', 'state', ({ ledgers }) => void (ledgers.get('k1')!.pages['enqueued k1']!.chain = 7)],
  ['a passed-on amount twice', 'passedOn', ({ ledgers }) => void ledgers.get('k1')!.pages['published k0']!.sum++],
  ['a message that came again', 'repeated', ({ ledgers }) => void ledgers.get('k1')!.wrong.push('published k1#1')],
  ['no state', 'state', ({ ledgers }) => void ledgers.delete('k1')],
  ['a row of its own less', 'ownRows', ({ written }) => void written.delete([...written.keys()][0]!)],
  ['a row of its own twice', 'ownRowsTwice', ({ written }) => void written.set([...written.keys()][0]!, 2)],
  ['a row by nobody', 'ownRowsTwice', ({ written }) => void written.set('k1: nobody#1', 1)],
  ['another total', 'ownTotals', ({ totals }) => void totals.set('k1', 1)],
])('%s is found', (_what, promise, tamper) => {
  const is = books();
  tamper(is);
  expect(brokenBy(is)).toContain(promise);
});

test('what is left in the database is counted', () => {
  const { outbox, enqueued } = audit({ ...books(), outbox: 2, enqueued: 3 }, expected());
  expect([outbox.length, enqueued.length]).toEqual([2, 3]);
});
