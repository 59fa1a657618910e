import { createHash } from 'node:crypto';
import { jest } from '@jest/globals';
import { ConsoleLogger, type LoggerService } from '@nestjs/common';
import { discard, keyDigest, type MississippiOptions, type ShardingKey } from '../../src/index.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { FakeClock, settled } from '../support/fake-clock.js';
import { Gates } from '../support/recording-handler.js';
import { limitDeadLetters } from '../support/limit-dead-letters.js';
import { startEngine } from '../support/test-engine.js';

type Line = Error & Record<string, unknown>;

/** Keeps the lines as a logger gets them. */
class Lines implements LoggerService {
  readonly lines: Line[] = [];
  log(): void {}
  warn(line: Line): void {
    this.lines.push(line);
  }
  error(line: Line): void {
    this.lines.push(line);
  }
  of(event: string): Line[] {
    return this.lines.filter((line) => line.event === event);
  }
}

/** What a logger of Nest writes, without a terminal. */
async function written(logger: ConsoleLogger, work: (logger: LoggerService) => Promise<unknown>): Promise<string> {
  const parts: string[] = [];
  const streams = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write.bind(stream) }));
  for (const { stream } of streams) stream.write = (part: unknown) => parts.push(String(part)) > 0;
  try {
    await work(logger);
  } finally {
    for (const { stream, write } of streams) stream.write = write;
  }
  return parts.join('');
}

const boom = Object.assign(new Error('boom'), { code: 'E_BOOM' });

/** One failed attempt, and then the dead letter. */
async function failTwice(logger: LoggerService): Promise<void> {
  const clock = new FakeClock();
  const failurePolicy = { attempts: 2 };
  const handleMessage = (): never => {
    throw boom;
  };
  const { publish } = await startEngine({ handleMessage }, { logger, clock, failurePolicy, memory: { totalCount: 1 } });
  await publish('k', 'a', { messageId: 'm1' });
  await clock.advance(1_000);
}

describe('a line of the log', () => {
  test('has its facts in fields', async () => {
    const log = new Lines();
    await failTwice(log);
    const facts = { key: '"k"', shard: 0, epoch: 1, messageId: 'm1', error: 'Error: boom', errorCode: 'E_BOOM' };
    expect(log.of('retried').map((line) => ({ ...line }))).toEqual([
      { event: 'retried', ...facts, attempt: 1, delay: 100 },
    ]);
    expect(log.of('deadLettered').map((line) => ({ ...line }))).toEqual([
      { event: 'deadLettered', ...facts, attempts: 2, reason: 'attempts_exhausted' },
    ]);
  });

  test('says in a field how many like it were left out', async () => {
    const log = new Lines();
    const clock = new FakeClock();
    const { send } = await startEngine({ handleMessage: () => discard('no') }, { logger: log, clock });
    await send('k', 1, 2, 3);
    await clock.advance(10_000);
    await send('k', 4);
    expect(log.of('deadLettered').map(({ untold }) => untold)).toEqual([undefined, 2]);
  });

  test('is one readable line on Nest’s console; an error has its stack below', async () => {
    const text = await written(new ConsoleLogger('M', { colors: false }), failTwice);
    const lines = text.split('\n');
    expect(lines[0]).toMatch(/ WARN \[M\] Attempt 1 at the message m1 of the key "k" .* in 100 ms: Error: boom$/);
    expect(lines[1]).toMatch(/ ERROR \[M\] The message m1 of the key "k" .*\(attempts_exhausted\): Error: boom$/);
    expect(lines[2]).toBe('Error: boom');
    expect(lines[3]).toMatch(/^ {4}at .*log-lines\.spec/);
  });

  test('is one record in Nest’s JSON, with the fields', async () => {
    const text = await written(new ConsoleLogger('M', { json: true }), failTwice);
    const records = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .map(asNest12);
    expect(records).toMatchObject([
      {
        level: 'warn',
        context: 'M',
        message: expect.stringMatching(/^Attempt 1 at the message m1/) as unknown,
        error: { event: 'retried', key: '"k"', shard: 0, messageId: 'm1', attempt: 1 },
      },
      {
        level: 'error',
        message: expect.stringMatching(/^The message m1/) as unknown,
        error: { event: 'deadLettered', stack: expect.stringContaining('log-lines.spec') as unknown },
      },
    ]);
  });
});

/** Nest 11 has all of an error in `message`. */
function asNest12(record: Record<string, unknown>): Record<string, unknown> {
  const { message } = record;
  if (typeof message === 'string') return record;
  return { ...record, message: Reflect.get(message as object, 'message'), error: message };
}

test('an error of several lines stays on the line, so that it forges no other', async () => {
  const log = new Lines();
  const handleMessage = (): never => {
    throw new Error('first\r\n[Nest] second');
  };
  const { send } = await startEngine({ handleMessage }, { logger: log });
  await send('k', 'a');
  expect(log.lines.map(({ message }) => message)).toEqual([expect.stringMatching(/: Error: first \[Nest\] second$/)]);
});

test('a logger that throws holds no key up: the process is warned, once', async () => {
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const throws = (line: string): never => {
    throw new TypeError(`${line} is no string`);
  };
  const logger: LoggerService = { log: throws, warn: throws, error: throws };
  try {
    await failTwice(logger);
    const { send, transport } = await startEngine({ handleMessage: () => discard('no') }, { logger });
    await send('k', 1, 2);
    expect(transport.broker.length).toBe(0);
    expect(transport.broker.deadLetters).toHaveLength(2);
    const ours = expect.stringMatching(/^The logger threw at a line of Mississippi \(TypeError: /) as string;
    expect(warned.mock.calls).toEqual([[ours], [ours]]); // One for each instance.
  } finally {
    warned.mockRestore();
  }
});

describe('keys in the log', () => {
  const KEY = 'jane@example.org';

  /** Everything that is logged about a key, in every way that there is; and what callers are told. */
  async function everything(options: Omit<MississippiOptions, 'transport'>): Promise<{ log: Lines; told: string[] }> {
    const log = new Lines();
    const clock = new FakeClock();
    const gates = new Gates();
    let inits = 0;
    const { engine, send, service, transport, shard } = await startEngine(
      {
        init: () => (++inits === 1 ? Promise.reject(boom) : undefined),
        handleMessage(payload) {
          if (payload === 'throw') throw boom;
          return payload === 'hang' ? gates.at('never') : discard('no');
        },
        handleContinue: () => Promise.reject(boom),
        handleSignal: () => gates.at('never'),
        terminate: () => Promise.reject(boom),
      },
      {
        logger: log,
        clock,
        memory: { totalCount: 1 },
        handlerTimeout: 5_000,
        drainTimeout: 1_000,
        failurePolicy: { attempts: 2, onExhausted: 'park' },
        ...options,
      },
    );
    limitDeadLetters(transport.broker, 1);
    const told: string[] = [];
    const tell = (promise: Promise<unknown>): void =>
      void promise.catch((error: unknown) => {
        told.push(String(error));
      });
    const sub = engine.events.subscribe(() => {
      throw new Error('a listener');
    });
    tell(service.drop(KEY));
    await send(KEY, 'discard', 'discard', 'throw');
    await clock.advance(20_000);
    transport.broker.takeDeadLetters();
    await clock.advance(20_000);
    sub.unsubscribe();
    tell(service.handleMessage(KEY, { payload: 'x' }));
    tell(service.handleSignal(KEY, 'x'));
    await clock.advance(20_000);
    const wrong = { key: encodeShardingKey(KEY), body: Buffer.from('{'), messageId: 'undecodable' };
    transport.broker.inject(shard(KEY), wrong);
    await service.resume(KEY);
    tell(service.handleMessage(KEY, { payload: 'x' }));
    await clock.advance(30_000);
    await send(KEY, 'hang');
    tell(service.handleSignal(KEY, 'waits', { timeout: 10 }));
    await clock.advance(500);
    const stopped = engine.stop();
    await clock.advance(3_000);
    await stopped;
    tell(service.handleSignal(KEY, 'late'));
    await settled();
    return { log, told };
  }

  const text = ({ message, stack, ...fields }: Line): string => [message, stack, JSON.stringify(fields)].join('\n');

  test('are plain by default', async () => {
    const { log } = await everything({});
    expect(new Set(log.lines.map(({ event }) => event))).toEqual(
      new Set([
        'abandoned',
        'callbackFailed',
        'deadLetterRefused',
        'deadLettered',
        'drainOverdue',
        'listenerFailed',
        'messagesLost',
        'parked',
        'retried',
        'startFailed',
      ]),
    );
    const ofNoKey = ['listenerFailed', 'messagesLost'];
    expect(
      log.lines.filter(({ event }) => !ofNoKey.includes(String(event))).every((line) => text(line).includes(KEY)),
    ).toBe(true);
  });

  test('are nowhere where they are to be hashed: not in a line, a field, a stack, nor in what callers are told', async () => {
    const { log, told } = await everything({ logKeys: 'hashed' });
    expect(log.lines.map(text).filter((line) => line.includes(KEY))).toEqual([]);
    expect(log.lines.filter((line) => text(line).includes(keyDigest(KEY))).length).toBeGreaterThan(8);
    expect(told.length).toBeGreaterThan(2);
    expect(told.filter((line) => line.includes(KEY))).toEqual([]);
  });

  test.each<[string, ShardingKey]>([
    ['text', 'jane@example.org'],
    ['a number', 17],
    ['a list', ['a', 1n]],
  ])('are found by their digest, the SHA-256 of the key in the external term format: %s', (_, key) => {
    const sum = createHash('sha256').update(encodeShardingKey(key)).digest('hex');
    expect(keyDigest(key)).toBe(`sha256:${sum.slice(0, 16)}`);
  });

  test('the digest of a text is what sha256sum gives for its bytes behind their length', () => {
    // printf '\x83m\x00\x00\x00\x01k' | sha256sum
    expect(keyDigest('k')).toBe('sha256:46619fbc2eccb6a5');
  });

  test('that are no term have a digest too', async () => {
    const log = new Lines();
    const { transport } = await startEngine({ handleMessage: () => undefined }, { logger: log, logKeys: 'hashed' });
    transport.broker.inject(0, { key: Buffer.from('secret'), body: Buffer.from('1') });
    await settled();
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]!.key).toMatch(/^sha256:[0-9a-f]{16}$/);
    expect(text(log.lines[0]!)).not.toContain('secret');
  });
});

test('a key of a kind that is not taken is not shown where keys are hashed', async () => {
  const plain = await startEngine({ handleMessage: () => undefined }, { keys: 'integer' });
  await expect(plain.service.handleSignal('patient', 's')).rejects.toThrow(/"patient"/);
  const hashed = await startEngine({ handleMessage: () => undefined }, { keys: 'integer', logKeys: 'hashed' });
  for (const refused of [hashed.service.handleSignal('patient', 's'), hashed.publish('patient', 'a')]) {
    await expect(refused).rejects.toThrow(keyDigest('patient'));
    await refused.catch((error: Error) => expect(error.message).not.toContain('patient'));
  }
});
