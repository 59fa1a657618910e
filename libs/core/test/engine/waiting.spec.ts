import { defer } from 'rxjs';
import {
  AttemptsExhaustedError,
  HandlerTimeoutError,
  OwnKeyError,
  ShardNotOwnedError,
  WaitingCycleError,
} from '../../src/index.js';
import type { DataUpdaterService } from '../../src/index.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { shardOfEncoded, type TransportConnection, type WaitingCallback } from '../../src/transport/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { type ScriptedEpoch, ScriptedTransport } from '../support/scripted-transport.js';
import { startEngine } from '../support/test-engine.js';

/** What a callback does: it sends the rest of the path, key by key, `!` before a key by a signal. */
class Relay {
  service!: DataUpdaterService;
  readonly errors: unknown[] = [];
  readonly running = new Set<string>();
  readonly gates = new Gates();

  readonly handler = new RecordingHandler<unknown, string>({
    handleMessage: (path) => this.pass(path),
    handleSignal: (path) => this.pass(path as string),
  });

  /** `a b !c` calls the key a with `b !c`, `?name` waits at a gate, `~key` does not wait for the signal. */
  async pass(path: string): Promise<undefined> {
    const [next, ...rest] = path.split(' ');
    await Promise.resolve();
    if (next === undefined || next === '') return;
    if (next.startsWith('?')) {
      await this.gates.at(next.slice(1));
      return this.pass(rest.join(' '));
    }
    if (next.startsWith('~')) {
      void this.service.handleSignal(next.slice(1), rest.join(' '), { timeout: Infinity });
      return;
    }
    try {
      if (next.startsWith('!')) await this.service.handleSignal(next.slice(1), rest.join(' '), { timeout: Infinity });
      else await this.service.handleMessage(next, { payload: rest.join(' ') });
    } catch (error) {
      this.errors.push(error);
      throw error;
    }
    return undefined;
  }
}

async function startRelay(options: Parameters<typeof startEngine>[1] = {}) {
  const relay = new Relay();
  const engine = await startEngine(relay.handler, options);
  relay.service = engine.service;
  return { relay, ...engine };
}

describe('a circle of callbacks that wait for each other ends at once', () => {
  test.each([
    ['messages', 'a b a', 'a → b → a'],
    ['signals', '!a !b !a', 'a → b → a'],
    ['a message and a signal', 'a !b a', 'a → b → a'],
    ['a signal and a message', '!a b !a', 'a → b → a'],
    ['a longer way', 'a b !c d a', 'a → b → c → d → a'],
    ['a circle that begins later', 'x a b c a', 'a → b → c → a'],
    ['the way back to the middle', 'a b c b', 'b → c → b'],
  ])('by %s', async (_, path, circle) => {
    const { relay, clock } = await startRelay();
    const outcome = watch(relay.pass(path));
    await settled();
    expect(outcome).toMatchObject({ state: 'rejected', value: { code: 'waiting_cycle' } });
    expect(relay.errors[0]).toBeInstanceOf(WaitingCycleError);
    expect((relay.errors[0] as WaitingCycleError).keys.join(' → ').replaceAll('"', '')).toBe(circle);
    expect(clock.now()).toBe(0);
  });

  test('for two delivered messages that ask for each other: the later one fails, the other one is handled', async () => {
    const { relay, send, of, clock } = await startRelay({ failurePolicy: { attempts: 1 } });
    await send('a', '?a !b');
    await send('b', '?b !a');
    relay.gates.open('a');
    await settled();
    relay.gates.open('b');
    await settled();
    expect(relay.errors).toEqual([expect.any(WaitingCycleError)]);
    expect(of('exhausted').map(({ key }) => key)).toEqual(['b']);
    expect(of('handled').map(({ key }) => key)).toEqual(['a']);
    expect(clock.now()).toBe(0);
  });

  test('across two instances of one process', async () => {
    const one = await startRelay();
    const two = await startRelay();
    one.relay.service = two.service;
    two.relay.service = one.service;
    const outcome = watch(one.service.handleMessage('a', { payload: 'a b a' }));
    await settled();
    // One's a, two's a, one's b, and two's a again, which waits for one's b.
    expect(outcome.state).toBe('rejected');
    expect(two.relay.errors.length + one.relay.errors.length).toBeGreaterThan(0);
    expect([...two.relay.errors, ...one.relay.errors][0]).toBeInstanceOf(WaitingCycleError);
  });

  test('in init', async () => {
    let service!: DataUpdaterService;
    const engine = await startEngine(
      new RecordingHandler<unknown, string>({
        init: (key) => (key === 'b' ? service.handleSignal('a', 'x') : undefined),
        handleMessage: async (next) => void (next !== '' && (await service.handleMessage(next, { payload: '' }))),
      }),
    );
    ({ service } = engine);
    const outcome = watch(service.handleMessage('a', { payload: 'b' }));
    await settled();
    expect(outcome).toMatchObject({ state: 'rejected', value: { cause: expect.any(WaitingCycleError) as unknown } });
    expect(engine.clock.now()).toBe(0);
  });

  test('the own key has an error of its own', async () => {
    const { relay } = await startRelay({ failurePolicy: { attempts: 1 } });
    await expect(relay.pass('a a')).rejects.toBeInstanceOf(AttemptsExhaustedError);
    expect(relay.errors[0]).toBeInstanceOf(OwnKeyError);
  });
});

describe('what is no circle is left alone', () => {
  test('a call that its callback did not wait for, once the callback has ended', async () => {
    const engine: { service?: DataUpdaterService } = {};
    const gates = new Gates();
    const results: unknown[] = [];
    const handler = new RecordingHandler<unknown, string>({
      async handleMessage(payload) {
        if (payload === 'leaves') void engine.service!.handleMessage('b', { payload: 'back' });
        if (payload !== 'back') return;
        await gates.at('b');
        results.push((await engine.service!.handleMessage('a', { payload: 'end' })).kind);
      },
    });
    const { service } = Object.assign(engine, await startEngine(handler));
    await service.handleMessage('a', { payload: 'leaves' });
    gates.open('b');
    await settled();
    expect(results).toEqual(['ack']);
  });

  test('two ways to one key', async () => {
    const { relay } = await startRelay();
    await Promise.all([relay.pass('a c'), relay.pass('b c'), relay.pass('!a !c')]);
    expect(relay.errors).toEqual([]);
  });

  test('a call after the wait is over', async () => {
    const { relay, send, of } = await startRelay();
    await send('a', 'b');
    await send('b', 'a');
    expect(relay.errors).toEqual([]);
    expect(of('handled')).toHaveLength(4);
  });
});

describe('signals between processes carry who waits for them', () => {
  /** Keys of two shards. */
  const lettersOf = (shard: number) =>
    [...'abcdefghijklmnopqrstuvwxyz'].filter((key) => shardOfEncoded(encodeShardingKey(key), 2) === shard);
  const [[A, C], [B]] = [lettersOf(0), lettersOf(1)] as [[string, string], [string]];

  /** One of two processes, which send each other signals as JSON. */
  class Process extends ScriptedTransport {
    other!: Process;
    readonly epochs = new Map<number, ScriptedEpoch>();

    constructor() {
      super({ totalCount: 2 });
    }

    owns(shard: number): void {
      this.epochs.set(shard, this.own([], shard));
    }

    async sendSignal(
      ...[shard, key, signal, timeout, waiting]: Parameters<NonNullable<TransportConnection['sendSignal']>>
    ) {
      const sent = JSON.parse(JSON.stringify(waiting)) as WaitingCallback[];
      return this.other.epochs.get(shard)!.receiver.signal(key, signal, timeout, () => undefined, sent);
    }
  }

  async function startTwo() {
    const [first, second] = [new Process(), new Process()];
    Object.assign(first, { other: second });
    Object.assign(second, { other: first });
    const one = await startRelay({ transport: first, concurrency: 1 });
    const two = await startRelay({ transport: second, concurrency: 1 });
    const shards = [one.shard(A), one.shard(B)] as const;
    first.owns(shards[0]);
    second.owns(shards[1]);
    return { one, two, shards };
  }

  test.each([
    ['there and back', `!${A} !${B} !${A}`, `${A} → ${B} → ${A}`],
    ['from a message', `${A} !${B} !${A}`, `${A} → ${B} → ${A}`],
    ['by way of a third key', `!${A} !${B} !${C} !${A}`, `${A} → ${B} → ${C} → ${A}`],
    ['by way of a message to a third key', `!${A} !${B} !${C} ${A}`, `${A} → ${B} → ${C} → ${A}`],
    ['back to the second', `!${A} !${B} !${C} !${B}`, `${B} → ${C} → ${B}`],
  ])('so that a circle ends at once: %s', async (_, path, circle) => {
    const { one, two } = await startTwo();
    const outcome = watch(one.relay.pass(path));
    await settled();
    expect(outcome).toMatchObject({ state: 'rejected', value: { code: 'waiting_cycle' } });
    const [error] = [...two.relay.errors, ...one.relay.errors].filter((thrown) => thrown instanceof WaitingCycleError);
    expect(error?.keys.join(' → ').replaceAll('"', '')).toBe(circle);
  });

  test('and what is none is answered, with concurrency 1 too', async () => {
    const { one, two } = await startTwo();
    await one.relay.pass(`${A} !${B} !${C}`);
    await two.relay.pass(`${B} !${A} ${C}`);
    expect([...one.relay.errors, ...two.relay.errors]).toEqual([]);
  });

  test('and a callback that did not wait is in no circle', async () => {
    const { one, two } = await startTwo();
    await one.service.handleMessage(A, { payload: `~${B} ?b !${A}` });
    const later = watch(one.service.handleMessage(A, { payload: '?later' }));
    await settled();
    two.relay.gates.open('b');
    await settled();
    one.relay.gates.open('later');
    await settled();
    expect(later.state).toBe('resolved');
    expect([...one.relay.errors, ...two.relay.errors]).toEqual([]);
    expect(one.relay.handler.of(A)).toContain('signal ');
  });
});

describe('an attempt that waits for another key lends its slot', () => {
  test.each(['a', 'a b', 'a b c d', 'a !b c', '!a b c'])('so that concurrency 1 is enough for %s', async (path) => {
    const { relay, service, clock } = await startRelay({ concurrency: 1 });
    const outcome = watch(relay.pass(path));
    await settled();
    expect(outcome.state).toBe('resolved');
    expect(service.status().runningAttempts).toBe(0);
    expect(clock.now()).toBe(0);
  });

  test('and has one again before it goes on', async () => {
    const gates = new Gates();
    const steps: string[] = [];
    const engine: { service?: DataUpdaterService } = {};
    const handler = new RecordingHandler<unknown, string>({
      async handleMessage(payload, _, { key }) {
        steps.push(`${key} begins`);
        if (payload === 'asks') {
          await engine.service!.handleMessage('b', { payload: 'x' });
          steps.push('a goes on');
        } else await gates.at(key);
        steps.push(`${key} ends`);
      },
    });
    const { send, service } = Object.assign(engine, await startEngine(handler, { concurrency: 1 }));
    await send('a', 'asks');
    await send('c', 'x');
    await send('d', 'x');
    expect(steps).toEqual(['a begins', 'b begins']);
    expect(service.status().runningAttempts).toBe(1);
    gates.open('b');
    await settled();
    while (gates.names.length > 0) {
      gates.open(gates.names[0]!);
      await settled();
    }
    // Never two at once, but for the wait.
    let running = 0;
    for (const step of steps.slice(1)) {
      running += step.endsWith('ends') ? -1 : 1;
      expect(running).toBeLessThanOrEqual(1);
    }
    expect(steps).toHaveLength(9);
    expect(service.status().runningAttempts).toBe(0);
  });

  test('to what it waits for, before all that nobody waits for', async () => {
    const { relay, send } = await startRelay({ concurrency: 1 });
    await send('a', '?go b');
    for (let index = 0; index < 20; index++) await send(`other ${index}`, '');
    relay.gates.open('go');
    await settled();
    const attempts = relay.handler.calls.filter((call) => call.includes('message'));
    expect(attempts.slice(0, 2)).toEqual(['a message ?go b', 'b message ']);
    expect(attempts).toHaveLength(22);
  });

  test('for several calls at once', async () => {
    const engine: { service?: DataUpdaterService } = {};
    const handler = new RecordingHandler<unknown, string>({
      async handleMessage(payload) {
        if (payload === 'x') return;
        await Promise.all(['b', 'c', 'd'].map((key) => engine.service!.handleMessage(key, { payload: 'x' })));
        await engine.service!.handleMessage('e', { payload: 'x' });
      },
    });
    const { service } = Object.assign(engine, await startEngine(handler, { concurrency: 1 }));
    const outcome = watch(service.handleMessage('a', { payload: 'asks' }));
    await settled();
    expect(outcome.state).toBe('resolved');
    expect(service.status().runningAttempts).toBe(0);
  });

  test('and gives none back twice when it is abandoned meanwhile', async () => {
    const { relay, send, service, clock, of } = await startRelay({
      concurrency: 1,
      handlerTimeout: 100,
      failurePolicy: { attempts: 1 },
    });
    await send('b', '?b');
    await send('a', '!b');
    // B holds the slot: a stands in line, and once b is abandoned a asks, which ends at once.
    await clock.advance(2_000);
    expect(of('abandoned').map(({ error }) => error)).toEqual([expect.any(HandlerTimeoutError)]);
    relay.gates.open('b');
    await settled();
    expect(service.status().runningAttempts).toBe(0);
    await send('c', '?c1');
    await send('d', '?d1');
    expect(relay.gates.names).toEqual(['c1']);
  });
});

test('a callback of an epoch that ends starts nothing at the other keys of its shard', async () => {
  const transport = new ScriptedTransport();
  const engine: { service?: DataUpdaterService } = {};
  const asked: unknown[] = [];
  const handler = new RecordingHandler<unknown, string>({
    terminate: (_reason, _state, { key }) => {
      if (key !== 'a') return;
      void engine.service!.handleSignal('b', 'x').catch((error: unknown) => asked.push(error));
    },
  });
  Object.assign(engine, await startEngine(handler, { transport }));
  const epoch = transport.own();
  for (const key of ['a', 'b', 'c']) epoch.deliver(key, key);
  await settled();
  epoch.lose();
  await settled();
  expect(asked).toEqual([expect.any(ShardNotOwnedError)]);
  expect(handler.of('b')).toEqual(['init', 'message b', expect.stringContaining('terminate shardLost')]);
});

test('a circle through a callback that runs still from an epoch before ends at once, too', async () => {
  const transport = new ScriptedTransport({ totalCount: 2 });
  const { relay, shard, clock } = await startRelay({ transport, failurePolicy: { attempts: 1 } });
  const [a, b] = ['a', [...'bcdefgh'].find((key) => shard(key) !== shard('a'))!];
  transport.own([], shard(a));
  const first = transport.own([], shard(b));
  first.deliver(b, `?b ${a}`);
  await settled();
  first.lose();
  transport.own([], shard(b));
  // A waits for b in its new epoch, which waits for the end of the old one.
  const waits = watch(relay.pass(`${a} ${b}`));
  await settled();
  relay.gates.open('b');
  await settled();
  expect(relay.errors[0]).toBeInstanceOf(WaitingCycleError);
  expect(waits.state).toBe('resolved');
  expect(clock.now()).toBe(0);
});

test.each([
  ['an Observable', (work: () => Promise<unknown>) => defer(work)],
  [
    'a thenable',
    (work: () => Promise<unknown>) => ({
      // oxlint-disable-next-line unicorn/no-thenable
      then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void work().then(resolve, reject),
    }),
  ],
])('what begins its work when it is asked for it belongs to its callback: %s', async (_, lazily) => {
  const engine: { service?: DataUpdaterService } = {};
  const errors: unknown[] = [];
  const work = () =>
    engine.service!.handleMessage('k', { payload: 'x' }).catch((error: unknown) => {
      errors.push(error);
    });
  const { send, clock } = Object.assign(
    engine,
    await startEngine({ handleMessage: () => lazily(work) as unknown as Promise<void> }),
  );
  await send('k', 'a');
  expect(errors).toEqual([expect.any(OwnKeyError)]);
  expect(clock.now()).toBe(0);
});

test('a time-out inside an attempt does not wait for the slot that was lent', async () => {
  const engine: { service?: DataUpdaterService } = {};
  const gates = new Gates();
  const steps: string[] = [];
  const handler = new RecordingHandler<unknown, string>({
    async handleMessage(payload, _, { key }) {
      if (payload === 'asks') {
        await engine.service!.handleMessage('b', { payload: 'slow' }, { timeout: 100 }).catch((error: Error) => {
          steps.push(error.name);
        });
      }
      steps.push(`${key} works`);
      await gates.at(key);
    },
  });
  const { send, service, clock } = Object.assign(engine, await startEngine(handler, { concurrency: 1 }));
  await send('a', 'asks');
  await clock.advance(100);
  expect(steps).toEqual(['b works', 'MessageTimeoutError', 'a works']);
  expect(service.status().runningAttempts).toBe(2);
  await send('c', 'x');
  gates.open('b');
  await settled();
  // One more than is allowed has run: nothing starts until that is made up for.
  expect(gates.names).toEqual(['a']);
  gates.open('a');
  await settled();
  expect(gates.names).toEqual(['c']);
  gates.open('c');
  await settled();
  expect(service.status().runningAttempts).toBe(0);
});
