import { LogLines } from '../../../test/support/log-lines.js';
import { FakeClock } from '../../core/test/support/fake-clock.js';
import { RareWarnings } from '../src/ownership/rare-warnings.js';

function setUp() {
  const clock = new FakeClock();
  const logs = new LogLines();
  const warnings = new RareWarnings(logs, clock);
  const befall = (kind: string, shards: number): void => {
    for (let shard = 0; shard < shards; shard++) warnings.warnOf(kind, shard, `${kind} of shard ${shard}`);
  };
  return { clock, logs, befall };
}

test('what befalls all shards is told of ten, and that there may be more', () => {
  const { logs, befall } = setUp();
  befall('loss', 128);
  expect(logs.lines).toHaveLength(10);
  expect(logs.lines[8]).toBe('loss of shard 8');
  expect(logs.lines[9]).toBe('loss of shard 9 (more shards may follow, which are not told for ten seconds)');
});

test('each kind of trouble has its own ten, and ten more after ten seconds', async () => {
  const { clock, logs, befall } = setUp();
  befall('loss', 128);
  befall('claim', 3);
  expect(logs.lines).toHaveLength(13);
  await clock.advance(10_000);
  befall('loss', 128);
  expect(logs.lines).toHaveLength(23);
});

test('a shard that is told again and again leaves room for others', () => {
  const { logs, befall } = setUp();
  for (let times = 0; times < 5; times++) befall('claim', 2);
  befall('claim', 6);
  expect(logs.lines).toEqual([0, 1, 2, 3, 4, 5].map((shard) => `claim of shard ${shard}`));
});
