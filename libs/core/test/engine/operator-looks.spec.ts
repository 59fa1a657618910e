import { NobodyAnswersError, OperatorTimeoutError, type ProcessInfo } from '../../src/index.js';
import { OperatorCalls } from '../../src/engine/operator/operator-calls.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { settled } from '../support/fake-clock.js';

type Parts = ConstructorParameters<typeof OperatorCalls>;

/** Which shard is asked, and how its owner answers. */
type Ask = (shard: number) => Promise<unknown>;

const NO_KEYS = { keys: [], more: 0 };
const ROW = { key: Buffer.from(encodeShardingKey('k')).toString('base64'), text: '"k"', shard: 0, state: 'idle' };

/** What an operator asks, of owners that answer as the test says. */
function callsOf(ask: Ask, processes: () => Promise<ProcessInfo[]>, totalCount = 64): OperatorCalls {
  const connection = { totalCount } as Parts[0];
  const unused = undefined as never;
  return new OperatorCalls(connection, { ask } as unknown as Parts[1], processes, unused, unused, unused);
}

function owning(name: string, from: number, count: number): ProcessInfo {
  return { name, shards: Array.from({ length: count }, (_item, index) => from + index), self: false, intake: 'open' };
}

const silence = (shard: number): OperatorTimeoutError =>
  new OperatorTimeoutError(`keys of shard ${shard}`, 5, undefined);

test('sixteen owners are asked at a time and no more, and what each answers is in the list', async () => {
  const waiting: (() => void)[] = [];
  let most = 0;
  const ask: Ask = (shard) =>
    new Promise((resolve) => {
      waiting.push(() => resolve({ keys: [{ ...ROW, shard }], more: 0 }));
      most = Math.max(most, waiting.length);
    });
  const keys = callsOf(ask, async () => [owning('a', 0, 64)]).keys({}, 5);
  let answered = 0;
  while (answered < 64) {
    await settled();
    expect(waiting.length).toBeGreaterThan(0);
    answered += waiting.length;
    for (const answer of waiting.splice(0)) answer();
  }
  const list = await keys;
  expect(list).toMatchObject({ more: 0, unanswered: [] });
  expect(list.keys.map(({ shard }) => shard).toSorted((a, b) => a - b)).toEqual(owning('a', 0, 64).shards);
  expect(most).toBe(16);
});

test('a process that is frozen costs one time-out, however many shards it owns', async () => {
  const asked: number[] = [];
  const ask: Ask = async (shard) => {
    asked.push(shard);
    if (shard >= 60) return NO_KEYS;
    await settled();
    throw silence(shard);
  };
  const processes = async () => [owning('frozen', 0, 60), owning('living', 60, 4)];
  const { unanswered } = await callsOf(ask, processes).keys({}, 5);
  expect(asked.filter((shard) => shard < 60)).toHaveLength(16);
  expect(asked.filter((shard) => shard >= 60)).toEqual([60, 61, 62, 63]);
  expect(unanswered.map(({ shard }) => shard)).toEqual(owning('frozen', 0, 60).shards);
  expect(unanswered.at(-1)!.reason).toBe('frozen was not asked, since it did not answer for another shard');
});

test('a process that answers for some of its shards is asked for all of them', async () => {
  const ask: Ask = async (shard) => {
    if (shard % 2 === 0) return NO_KEYS;
    throw silence(shard);
  };
  const { unanswered } = await callsOf(ask, async () => [owning('slow', 0, 64)]).keys({}, 5);
  expect(unanswered.map(({ reason }) => reason)).toEqual(unanswered.map(({ shard }) => String(silence(shard))));
  expect(unanswered).toHaveLength(32);
});

describe('while nobody tells who takes part', () => {
  const nobody = (): Promise<never> => Promise.reject(new NobodyAnswersError('no answer'));

  test('what was asked of one owner is told all the same, without its name', async () => {
    const ask: Ask = async () => ({ key: ROW, events: [] });
    const calls = callsOf(ask, nobody, 1);
    const key = encodeShardingKey('k');
    expect(await calls.key(key, { call: 'drop' }, 5)).toMatchObject({ key: 'k', process: undefined });
    expect((await calls.watch(key, 5)).report).toMatchObject({ key: 'k', process: undefined });
    const list = callsOf(async () => ({ keys: [ROW], more: 0 }), nobody, 1).keys({ shard: 0 }, 5);
    expect((await list).keys).toMatchObject([{ key: 'k', process: undefined }]);
  });

  test('a list of all is refused', async () => {
    const calls = callsOf(async () => NO_KEYS, nobody, 1);
    await expect(calls.keys({}, 5)).rejects.toMatchObject({ code: 'nobody_answers' });
  });
});
