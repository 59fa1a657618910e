import { randomBytes } from 'node:crypto';
import {
  NoOwnerError,
  RemoteSignalError,
  ShardNotOwnedError,
  SignalOutcomeUnknownError,
  SignalTimeoutError,
  SignalTooLargeError,
} from '@mississippi/core';
import type { RabbitMqOptions } from '@mississippi/rabbitmq';
import { sharedUrl } from '../../support/broker.js';
import { onRawBroker } from '../../support/raw-broker.js';
import { Member, until } from '../../support/member.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const river = () => ({
  urls: [sharedUrl()],
  heartbeat: 2,
  queues: { prefix: `t${randomBytes(4).toString('hex')}_`, totalCount: 8 },
});

async function pair(
  more: RabbitMqOptions = {},
  ofA: RabbitMqOptions = {},
  ofB: RabbitMqOptions = {},
): Promise<{ a: Member; b: Member; far: string; near: string }> {
  const options = { ...river(), ...more };
  const a = await Member.start('a', { ...options, ...ofA });
  const b = await Member.start('b', { ...options, ...ofB });
  await until(
    () => `4/4, now ${a.shards}/${b.shards}`,
    () => a.shards === 4 && b.shards === 4,
  );
  const owner = new Map<string, string>();
  for (let k = 0; k < 50; k++) {
    const answer = await a.service.handleSignal<{ member: string }>(`k${k}`, {});
    owner.set(answer.member, `k${k}`);
  }
  return { a, b, near: owner.get('a')!, far: owner.get('b')! };
}

test('a signal reaches the data updater of its key wherever it lives, and changes its state', async () => {
  const { a, b, far, near } = await pair();
  expect(await a.service.handleSignal(far, { ask: 'add' })).toEqual({ member: 'b', count: 1 });
  expect(await b.service.handleSignal(far, { ask: 'add' })).toEqual({ member: 'b', count: 2 });
  expect(await b.service.handleSignal(near, { ask: 'add' })).toEqual({ member: 'a', count: 1 });
  await a.stop();
  await b.stop();
});

test('an error crosses as name, message and code', async () => {
  const { a, b, far } = await pair();
  const error = await a.service.handleSignal(far, { ask: 'fail' }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RemoteSignalError);
  expect(error).toMatchObject({ name: 'RangeError', message: 'out of range', code: 'E_RANGE' });
  await a.stop();
  await b.stop();
});

test('signals that would wait for themselves by way of another process are refused at once', async () => {
  const { a, b, far, near } = await pair();
  const relay = (member: Member, ...path: string[]): Promise<unknown> =>
    member.service.handleSignal(path[0]!, { ask: `relay ${path.slice(1).join(' ')}` }, { timeout: Infinity });
  expect(await relay(a, near, far)).toEqual({ member: 'b', count: 0 });
  for (const member of [a, b]) {
    const circle: unknown = await relay(member, near, far, near).catch((thrown: unknown) => thrown);
    expect(circle).toMatchObject({ code: 'waiting_cycle' });
    expect(String(circle)).toContain(`"${near}" → "${far}" → "${near}"`);
  }
  await a.stop();
  await b.stop();
});

test('what is larger than maxMessageSize fails alone, for a key elsewhere as for one of this process', async () => {
  const { a, b, far, near } = await pair({ maxMessageSize: 500 });
  for (const key of [far, near]) {
    const others = Promise.all(Array.from({ length: 10 }, () => a.service.handleSignal(key, {})));
    const request = a.service.handleSignal(key, { ask: 'x'.repeat(500) });
    await expect(request).rejects.toThrow(SignalTooLargeError);
    await expect(a.service.handleSignal(key, { ask: 'fill' })).rejects.toMatchObject({
      code: 'signal_too_large',
      size: 1_002,
      limit: 499,
    });
    expect(await others).toHaveLength(10);
  }
  const others = Promise.all(Array.from({ length: 10 }, () => a.service.handleSignal(far, {})));
  await expect(a.service.handleSignal(far, { ask: 'complain' })).rejects.toThrow(SignalTooLargeError);
  expect(await others).toHaveLength(10);
  await a.stop();
  await b.stop();
});

test('a key that lives elsewhere is refused for messages and references, with the way to go', async () => {
  const { a, b, far } = await pair();
  await expect(a.service.handleMessage(far, { payload: { n: 1 } })).rejects.toThrow(ShardNotOwnedError);
  await expect(a.service.getDataUpdater(far)).rejects.toThrow(/EventsProducer.publish/);
  await a.stop();
  await b.stop();
});

test.each([1_500.5, 2 ** 32, 2 ** 53, Infinity])('a signal may wait any time: %d ms', async (timeout) => {
  const { a, b, far } = await pair();
  expect(await a.service.handleSignal(far, { ask: 'add' }, { timeout })).toEqual({ member: 'b', count: 1 });
  await a.stop();
  await b.stop();
});

test('a signal that is not answered in time is a time-out, one that nobody could read says so', async () => {
  const { a, b, far } = await pair();
  await expect(a.service.handleSignal(far, { ask: 'hang' }, { timeout: 300 })).rejects.toThrow(SignalTimeoutError);
  await a.stop();
  await b.stop();
  const options = river();
  const lonely = await Member.start('l', { ...options, maxShards: 1 });
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, (_, k) => lonely.service.handleSignal(`k${k}`, {}, { timeout: 500 })),
  );
  const reasons = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
  expect(reasons.length).toBeGreaterThan(0);
  for (const reason of reasons) expect(reason).toBeInstanceOf(NoOwnerError);
  await lonely.stop();
});

test('signals that wait cost the shard nothing, beside messages that are settled meanwhile', async () => {
  const { a, b, far } = await pair();
  const lost: unknown[] = [];
  b.service.events.subscribe((event) => {
    if (event.type === 'shardLost') lost.push(event);
  });
  const shard = b.service.shardOf(far);
  const keys = Array.from({ length: 1_000 }, (_, n) => `m${n}`).filter((key) => b.service.shardOf(key) === shard);
  a.service.handleSignal(far, { ask: 'hang' }, { timeout: Infinity }).catch(() => undefined);
  const waiting = Array.from({ length: 5 }, () => a.service.handleSignal(far, {}, { timeout: 500 }));
  const over = Promise.allSettled(waiting);
  let done = false;
  void over.then(() => (done = true));
  while (!done && lost.length === 0) {
    await Promise.all(keys.map((key, n) => a.producer.publish({ n }, { shardingKey: key })));
  }
  expect(lost).toEqual([]);
  for (const end of await over) {
    expect(end).toMatchObject({ reason: expect.any(SignalTimeoutError) as unknown });
    expect(end).not.toMatchObject({ reason: { started: true } });
  }
  expect(await a.service.handleSignal(keys[0]!, {})).toMatchObject({ member: 'b' });
  expect(lost).toEqual([]);
  await a.stop();
  await b.stop();
});

test('whose owner cannot say that a signal started is not told that it did not', async () => {
  const proxy = await TcpProxy.start(sharedUrl());
  try {
    const { a, b, far } = await pair({ heartbeat: 60 }, {}, { urls: [proxy.url] });
    expect(await a.service.handleSignal(far, {})).toEqual({ member: 'b', count: 0 });
    for (const { app } of proxy.connections) app.pause();
    await expect(a.service.handleSignal(far, { ask: 'hang' }, { timeout: 300 })).rejects.toMatchObject({
      code: 'signal_timeout',
      started: undefined,
      message: expect.stringContaining('neither the broker nor') as unknown,
    });
    for (const { app } of proxy.connections) app.resume();
    await a.stop();
    await b.stop();
  } finally {
    await proxy.close();
  }
});

test('a broker that freezes keeps nobody longer than he waits', async () => {
  const proxy = await TcpProxy.start(sharedUrl());
  try {
    // The connection stands for as long as the test lasts.
    const { a, b, far } = await pair({ heartbeat: 60 }, { urls: [proxy.url] });
    proxy.freeze();
    const calls = [200, 300, 1_000].map((timeout) => a.service.handleSignal(far, {}, { timeout }));
    const ends = await Promise.allSettled(calls);
    expect(ends.map((end) => (end as PromiseRejectedResult).reason as unknown)).toEqual(
      calls.map(() => expect.any(SignalTimeoutError) as unknown),
    );
    expect(a.service.status().transport.connected).toBe(true);
    proxy.heal();
    expect(await a.service.handleSignal(far, {})).toEqual({ member: 'b', count: 0 });
    await a.stop();
    await b.stop();
  } finally {
    await proxy.close();
  }
});

test('a signal that waits while its shard is handed over goes to the new owner', async () => {
  const { a, b, far } = await pair();
  const leaving = b.stop();
  expect(await a.service.handleSignal(far, {})).toMatchObject({ member: 'a' });
  await leaving;
  await a.stop();
});

test('a signal that came late to its owner does not run when its caller has given up', async () => {
  const proxy = await TcpProxy.start(sharedUrl());
  try {
    const { a, b, far } = await pair({ heartbeat: 60 }, {}, { urls: [proxy.url] });
    // The broker takes the request, and hands it to an owner who does not read.
    proxy.freeze();
    const late = a.service.handleSignal(far, { ask: 'add' }, { timeout: 500 });
    await expect(late).rejects.toMatchObject({ code: 'signal_timeout', started: undefined });
    proxy.heal();
    expect(await a.service.handleSignal(far, { ask: 'add' })).toEqual({ member: 'b', count: 1 });
    await a.stop();
    await b.stop();
  } finally {
    await proxy.close();
  }
});

test('a signal that another owner may have started is not run again: its outcome is unknown', async () => {
  const options = river();
  const a = await Member.start('a', { ...options, maxShards: 4 });
  const [self] = await a.service.processes();
  const far = Array.from({ length: 50 }, (_, n) => `k${n}`).find(
    (key) => !self!.shards.includes(a.service.shardOf(key)),
  )!;
  const queue = `${options.queues.prefix}${a.service.shardOf(far)}.signals`;
  const signal = a.service.handleSignal(far, { ask: 'add' }, { timeout: 20_000 });
  signal.catch(() => undefined);
  await onRawBroker(sharedUrl(), async (channel) => {
    // Its ack is lost with the channel.
    const delivered = new Promise((resolve) => void channel.consume(queue, resolve));
    expect(await delivered).toMatchObject({ fields: { redelivered: false } });
  });
  const b = await Member.start('b', options);
  await expect(signal).rejects.toThrow(SignalOutcomeUnknownError);
  expect(await a.service.handleSignal(far, { ask: 'add' })).toEqual({ member: 'b', count: 1 });
  await a.stop();
  await b.stop();
});

test('signals that wait for an owner who leaves are answered by the next one, each once', async () => {
  const { a, b, far } = await pair();
  const hanging = a.service.handleSignal(far, { ask: 'hang' }, { timeout: 100 });
  await expect(hanging).rejects.toMatchObject({ started: true });
  const waiting = Array.from({ length: 100 }, () => a.service.handleSignal(far, { ask: 'add' }));
  const leaving = b.stop();
  const behind = Array.from({ length: 100 }, () => a.service.handleSignal(far, { ask: 'add' }));
  const answers = await Promise.all([...waiting, ...behind]);
  expect(answers.map((answer) => (answer as { count: number }).count).sort((x, y) => x - y)).toEqual(
    answers.map((_, index) => index + 1),
  );
  await leaving;
  await a.stop();
});
