import type { LoggerService } from '@nestjs/common';
import { discard, stop } from '../../src/index.js';
import { FakeClock, settled } from '../support/fake-clock.js';
import { Gates } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

/** What was logged, with its level and whether a stack came along. */
class Log implements LoggerService {
  readonly lines: string[] = [];

  log(): void {}
  warn(line: Error): void {
    this.lines.push(`WARN ${line}`);
  }
  error(line: Error): void {
    this.lines.push(`ERROR ${line}${line.stack!.includes('.spec.ts') ? ' with its stack' : ''}`);
  }
  matching(pattern: RegExp): string[] {
    return this.lines.filter((line) => pattern.test(line));
  }
}

function fails(): never {
  throw new Error('boom');
}

describe('a failed attempt', () => {
  test('is a warning that says key, shard, message, attempt, error and when it is tried again', async () => {
    const log = new Log();
    const { publish, shard } = await startEngine({ handleMessage: fails }, { logger: log });
    await publish('k', 'a', { messageId: 'm1' });
    await settled();
    expect(log.lines).toEqual([
      `WARN Attempt 1 at the message m1 of the key "k" (shard ${shard('k')}) failed and is tried again in 100 ms: Error: boom`,
    ]);
  });

  test('is told once in ten seconds for each key, with how many were not', async () => {
    const log = new Log();
    const clock = new FakeClock();
    const failurePolicy = { attempts: Infinity, backoff: { initial: 1_000, max: 1_000 } };
    const { send } = await startEngine({ handleMessage: fails }, { logger: log, clock, failurePolicy });
    await send('k', 'a');
    await send('l', 'b');
    await clock.advance(9_999);
    expect(log.lines).toHaveLength(2);
    await clock.advance(1_000);
    expect(log.matching(/of the key "k" .*: Error: boom \(and 9 more since the last such line\)$/)).toHaveLength(1);
    expect(log.lines).toHaveLength(4);
  });
});

describe('an error with its stack', () => {
  test('is logged when a message is dead-lettered after its last attempt', async () => {
    const log = new Log();
    const clock = new FakeClock();
    const { publish, shard } = await startEngine({ handleMessage: fails }, { logger: log, clock });
    await publish('k', 'a', { messageId: 'm1' });
    await clock.advance(60_000);
    expect(log.matching(/^ERROR/)).toEqual([
      `ERROR The message m1 of the key "k" (shard ${shard('k')}) is dead-lettered after 5 attempts (attempts_exhausted): Error: boom with its stack`,
    ]);
  });

  test('is logged when a key is parked after the last attempt', async () => {
    const log = new Log();
    const failurePolicy = { attempts: 1, onExhausted: 'park' } as const;
    const { publish } = await startEngine({ handleMessage: fails }, { logger: log, failurePolicy });
    await publish('k', 'a', { messageId: 'm1' });
    await settled();
    expect(log.lines).toEqual([
      expect.stringMatching(
        /^ERROR The message m1 of the key "k" .* parked after 1 attempt; resume the key or drop the message: Error: boom with its stack$/,
      ),
    ]);
  });

  test('is logged when init fails: the first, second, fourth time in a row, and so on', async () => {
    const log = new Log();
    const clock = new FakeClock();
    const failurePolicy = { backoff: { initial: 1_000, max: 1_000 } };
    const { send } = await startEngine(
      { init: fails, handleMessage: () => undefined },
      { logger: log, clock, failurePolicy },
    );
    await send('k', 'a');
    await clock.advance(9_000);
    const often = log
      .matching(/^ERROR init of the key "k"/)
      .map((line) => /(\d+) times in a row/.exec(line)?.[1] ?? '1');
    expect(often).toEqual(['1', '2', '4', '8']);
    expect(log.lines[0]).toMatch(/failed; its messages wait: Error: boom with its stack$/);
  });
});

test('a discard is logged with its reason; many of them in ten seconds are one line', async () => {
  const log = new Log();
  const clock = new FakeClock();
  const { send } = await startEngine({ handleMessage: () => discard('too old') }, { logger: log, clock });
  await send('k', ...Array.from({ length: 100 }, (_, i) => i));
  expect(log.lines).toHaveLength(1);
  await clock.advance(10_000);
  await send('k', 'one more');
  expect(log.lines).toEqual([
    expect.stringMatching(/is dead-lettered after 1 attempt \(discarded\): too old$/),
    expect.stringMatching(/\(discarded\): too old \(and 99 more since the last such line\)$/),
  ]);
});

test('an abandoned callback is logged with its key', async () => {
  const log = new Log();
  const clock = new FakeClock();
  const gates = new Gates();
  const { send } = await startEngine(
    { handleMessage: () => gates.at('never') },
    { logger: log, clock, handlerTimeout: 5_000 },
  );
  await send('k', 'a');
  await clock.advance(6_000);
  expect(log.matching(/^ERROR handleMessage of the key "k" \(shard \d+\) is abandoned: /)).toHaveLength(1);
});

test('a drain past its deadline names the keys whose handlers hang', async () => {
  const log = new Log();
  const clock = new FakeClock();
  const gates = new Gates();
  const { send, engine } = await startEngine(
    { handleMessage: () => gates.at('never') },
    { logger: log, clock, memory: { totalCount: 1 }, drainTimeout: 1_000 },
  );
  await send('hangs', 'a');
  await send('hangs too', 'a');
  const stopped = engine.stop();
  await clock.advance(1_000);
  expect(log.lines).toEqual([
    'ERROR Shard 0 has not drained within drainTimeout, 1000 ms: a callback of 2 keys, such as "hangs", "hangs too" still runs and is abandoned a second from now.',
  ]);
  await clock.advance(1_000);
  await stopped;
});

test('what goes well is not logged', async () => {
  const log = new Log();
  const { send, engine } = await startEngine({ handleMessage: () => stop('done') }, { logger: log });
  await send('k', 'a', 'b');
  await engine.stop();
  expect(log.lines).toEqual([]);
});

test('a thousand signals to a key whose init fails make one init', async () => {
  let inits = 0;
  const log = new Log();
  const { service } = await startEngine(
    {
      init: async () => {
        inits++;
        await Promise.resolve();
        fails();
      },
      handleMessage: () => undefined,
      handleSignal: () => 'answer',
    },
    { logger: log },
  );
  const signals = Array.from({ length: 1_000 }, () => service.handleSignal('k', 1));
  const refused = await Promise.allSettled(signals);
  expect(refused.every(({ status }) => status === 'rejected')).toBe(true);
  expect(inits).toBe(1);
  expect([...service.liveKeys()]).toEqual([]);
});
