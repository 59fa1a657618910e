import { build, Child } from '../nest/support/child.js';

const KEYS = 1_000_000;
/** Keys that come together. */
const BATCH = 2_000;
/** Keys that come and go before the first look at the heap. */
const WARM_UP = 50_000;
/** What a key that is gone may leave behind, on average. Bytes. Far below any object: the smallest one takes 16. */
const BYTES_PER_KEY = 10;

let child: Child | undefined;

beforeAll(build, 120_000);

afterEach(async () => {
  child?.kill('SIGKILL');
  await child?.end();
});

// In a process of its own: in the realm that Jest makes for a spec every look at a global, such as Math, takes more than
// a hundred times as long, and the same keys twice the time. The heap holds nothing of other specs there, too.
test('a million keys that came and went leave nothing behind', async () => {
  child = new Child('departing-keys.mjs', String(WARM_UP), String(KEYS), String(BATCH));
  const exit = await child.end();
  expect({ exit, printed: child.lines }).toEqual({ exit: [0, null], printed: [expect.any(String)] });
  const { ended, bytesPerKey, ...left } = JSON.parse(child.lines[0]!) as Record<string, number>;
  expect(left).toEqual({ count: WARM_UP + KEYS, left: 0, liveKeys: 0, runningAttempts: 0, parkedKeys: 0 });
  // A signal may have started a data updater that a message stopped, so that some keys had two.
  expect(ended).toBeGreaterThanOrEqual(WARM_UP + KEYS);
  expect(bytesPerKey).toBeLessThan(BYTES_PER_KEY);
}, 600_000);
