import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { memoryStore } from '@mississippi/core';
import type { Snapshot, WatchedKey, WireKeys, WireLetterDetails, WireLetters } from '../src/wire.js';
import { ADAPTERS, closeApps, openApp, type OpenApp } from './support/open-app.js';
import { openStream } from './support/open-stream.js';

const MARKUP = '"><img src=x onerror=alert(1)>\u202e\u0000';

afterEach(closeApps);

const look = async <T>(opened: OpenApp, path: string): Promise<T> =>
  (await opened.asPage(`/mississippi/api/${path}`)).json() as T;

/** What is published was handled, or set aside. */
async function settled({ operator }: OpenApp, key: string): Promise<void> {
  for (let row = await operator.key(key); ; row = await operator.key(key)) {
    if (row?.state === 'parked' || (row?.state === 'idle' && row.queued === 0)) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe.each(ADAPTERS)('over %s', (adapter) => {
  test('everything is shown live, and a message that fails parks its key there', async () => {
    const opened = await openApp(adapter);
    const stream = await openStream(opened, 'live');
    const before = await stream.next<Snapshot>('snapshot');
    expect(before).toMatchObject({ troubles: {}, stuck: [], problems: [] });
    expect(before.shards).toHaveLength(4);
    expect(before.processes).toMatchObject([{ self: true, shards: [0, 1, 2, 3] }]);
    await opened.producer.publish('bad', { shardingKey: 'poisoned' });
    await settled(opened, 'poisoned');
    let seen = await stream.next<Snapshot>('snapshot');
    while (seen.stuck.length === 0) seen = await stream.next<Snapshot>('snapshot');
    expect(seen).toMatchObject({
      troubles: { parked: 1 },
      parked: 1,
      stuck: [{ text: '"poisoned"', trouble: 'parked' }],
    });
    stream.close();
  });

  test('a key is shown with its error, where it was thrown, and what happens to it', async () => {
    const opened = await openApp(adapter, { dashboard: { actions: true } });
    const { key } = await look<{ key: string }>(opened, 'find?text=k');
    const stream = await openStream(opened, `live?key=${key}`);
    expect(await stream.next<WatchedKey>('key')).toMatchObject({ key: null, events: [], problem: null });
    await opened.producer.publish('bad', { shardingKey: 'k' });
    let seen = await stream.next<WatchedKey>('key');
    while (seen.key?.parkedState !== 'held') seen = await stream.next<WatchedKey>('key');
    expect(seen.key.error).toBe('Error: <img src=x onerror=alert(1)> is bad');
    expect(seen.stack).toContain('open-app.ts');
    expect(seen.events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['attemptStarted', 'exhausted', 'parked']),
    );
    stream.close();
  });

  test('a key is freed by the actions, and its dead letter replayed', async () => {
    const opened = await openApp(adapter, { dashboard: { actions: true } });
    await opened.producer.publish('bad', { shardingKey: 'k' });
    await settled(opened, 'k');
    const { key } = await look<{ key: string }>(opened, 'find?text=k');
    expect(await opened.act('drop', { key })).toEqual([{ event: 'done', data: { answered: true } }]);
    expect(await opened.act('resume', { key })).toMatchObject([{ event: 'done' }]);
    const { letters } = await look<WireLetters>(opened, 'letters');
    expect(letters).toMatchObject([
      { reason: 'dropped', text: '"k"', key, error: expect.stringContaining('is bad') as string },
    ]);
    const { id } = letters[0]!;
    const done = await opened.act('replay', { id });
    expect(done.at(-1)).toMatchObject({ event: 'done' });
    await settled(opened, 'k');
    expect(await opened.operator.key('k')).toMatchObject({ parkedState: 'held' });
  });

  test.each(['retry', 'drop', 'dropAll'])(
    '%s of a message that does not come first any more is refused',
    async (name) => {
      const opened = await openApp(adapter, { dashboard: { actions: true } });
      await opened.producer.publish('bad', { shardingKey: 'k', messageId: 'now' });
      await settled(opened, 'k');
      const { key } = await look<{ key: string }>(opened, 'find?text=k');
      const [answer] = await opened.act(name, { key, messageId: 'before' });
      expect(answer).toMatchObject({ event: 'failed', data: { code: 'head_changed' } });
      const [done] = await opened.act(name, { key, messageId: 'now' });
      expect(done).toMatchObject({ event: name === 'dropAll' ? 'progress' : 'done' });
    },
  );

  test('an action on many tells now and then how far it is, and not each time', async () => {
    const opened = await openApp(adapter, { dashboard: { actions: true } });
    await opened.operator.pause('k');
    for (let count = 0; count < 300; count++) await opened.producer.publish('good', { shardingKey: 'k' });
    const { key } = await look<{ key: string }>(opened, 'find?text=k');
    await opened.act('dropAll', { key });
    const told = await opened.act('dropDeadLetters', {});
    expect(told[0]).toMatchObject({ event: 'progress', data: { total: 300 } });
    expect(told.length).toBeLessThan(100);
    expect(told.at(-1)).toMatchObject({ event: 'done' });
    expect((await look<WireLetters>(opened, 'letters')).total).toBe(0);
  });

  test('what an action was refused with is told in its words', async () => {
    const opened = await openApp(adapter, { dashboard: { actions: true } });
    const { key } = await look<{ key: string }>(opened, 'find?text=k');
    const [answer] = await opened.act('resume', { key });
    expect(answer).toMatchObject({
      event: 'failed',
      data: { code: 'key_not_parked', message: expect.stringContaining('"k"') as string },
    });
  });

  test('keys and payloads that are markup, or no text at all, come as they are', async () => {
    const opened = await openApp(adapter, { dashboard: { actions: true } });
    await opened.producer.publish('bad', { shardingKey: MARKUP, messageId: '<b>id</b>', headers: { '<i>': MARKUP } });
    await opened.producer.publish('bad', { shardingKey: Buffer.from([0, 255, 60, 47]) });
    await settled(opened, MARKUP);
    const { keys } = await look<WireKeys>(opened, 'keys?troubled=true');
    expect(keys).toHaveLength(2);
    for (const { key } of keys) expect((await opened.act('drop', { key })).at(-1)).toMatchObject({ event: 'done' });
    const { letters } = await look<WireLetters>(opened, 'letters');
    const { id } = letters.find(({ messageId }) => messageId === '<b>id</b>')!;
    const answer = await opened.asPage(`/mississippi/api/letter?id=${encodeURIComponent(id)}`);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.json()).toMatchObject({ payload: '"bad"', stack: expect.any(String) as string });
    expect((answer.json() as WireLetterDetails).headers).toContain('<i>');
  });

  test('what redact hides is not shown', async () => {
    const redact = () => '(hidden)';
    const opened = await openApp(adapter, { dashboard: { actions: true }, mississippi: { redact } });
    await opened.producer.publish('bad', { shardingKey: 'k' });
    await settled(opened, 'k');
    const { key } = await look<{ key: string }>(opened, 'find?text=k');
    await opened.act('drop', { key });
    const { letters } = await look<WireLetters>(opened, 'letters');
    const { text } = await opened.asPage(`/mississippi/api/letter?id=${letters[0]!.id}`);
    expect(JSON.parse(text)).toMatchObject({ payload: '"(hidden)"' });
    expect(text).not.toContain('"bad"');
  });

  test.each([
    ['an empty one', ''],
    ['one that is no term', 'AAAA'],
    ['one that is not base64', '%00'],
    ['one of 9,000 characters', 'A'.repeat(9_000)],
  ])('the address of a key is not %s', async (_which, address) => {
    const opened = await openApp(adapter);
    expect(await look(opened, `state?key=${address}`)).toMatchObject({ code: 'key_invalid' });
    expect(await look(opened, `live?key=${address}`)).toMatchObject({ code: 'key_invalid' });
  });

  test.each([
    ['a limit above 1,000', 'keys?limit=1001'],
    ['a limit below 0', 'keys?limit=-1'],
    ['a limit that is none', 'keys?limit=x'],
    ['a shard that is none', 'keys?shard=x'],
    ['no id', 'letter'],
    ['an empty text', 'find?text='],
    ['a type of 2,000 characters', `letters?type=${'x'.repeat(2_000)}`],
  ])('%s is refused', async (_what, path) => {
    expect((await (await openApp(adapter)).asPage(`/mississippi/api/${path}`)).status).toBe(400);
  });

  test.each(['__proto__', 'constructor', 'nothing'])('there is no look %s', async (name) => {
    expect((await (await openApp(adapter)).asPage(`/mississippi/api/${name}`)).status).toBe(404);
  });

  test.each(['', '?key=g20AAAABaw'])('HEAD of the stream%s begins no look', async (query) => {
    const opened = await openApp(adapter);
    const looked: string[] = [];
    opened.operator.shards = async () => (looked.push('shards'), []);
    opened.operator.watch = async () => (looked.push('watch'), { report: undefined, stack: undefined, events: [] });
    const answer = await opened.asPage(`/mississippi/api/live${query}`, { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
    expect(looked).toEqual([]);
    const stream = await openStream(opened, `live${query}`);
    await stream.next(query === '' ? 'snapshot' : 'key');
    expect(looked).toEqual([query === '' ? 'shards' : 'watch']);
    stream.close();
  });

  test('HEAD of the stream is refused as a GET would be', async () => {
    const opened = await openApp(adapter);
    expect((await opened.ask('/mississippi/api/live', { method: 'HEAD' })).status).toBe(401);
    expect((await opened.asPage('/mississippi/api/live?key=', { method: 'HEAD' })).status).toBe(400);
  });

  test('the app closes while somebody looks', async () => {
    const opened = await openApp(adapter);
    const stream = await openStream(opened, 'live');
    await stream.next('snapshot');
    await closeApps();
    await expect(stream.next('never')).rejects.toThrow('The stream ended');
  });
});

test('digits open the number that lives, and otherwise the text', async () => {
  const opened = await openApp('Express');
  const find = async (text: string) => look<{ key: string }>(opened, `find?text=${encodeURIComponent(text)}`);
  const asText = await find('17');
  expect(await find('"17"')).toEqual(asText);
  await opened.producer.publish('good', { shardingKey: 17 });
  expect(await find('17')).not.toEqual(asText);
});

/** What a browser comes to that asks for it: where it is then, and the address of the page's script there. */
async function scriptOf({ port }: OpenApp, path: string): Promise<string> {
  const url = new URL(path, `http://127.0.0.1:${port}`);
  const answer = await fetch(url);
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
  const [, script] = /src="(\S+app\.js)"/.exec(await answer.text())!;
  return new URL(script!, answer.url).pathname;
}

test.each([
  ['Express', {}],
  ['Fastify', {}],
  ['Fastify', { ignoreTrailingSlash: true }],
] as const)(
  'below a global prefix and with a slash at its end the page finds its files, over %s with %j',
  async (adapter, fastify) => {
    const opened = await openApp(adapter, { fastify, prepare: (app) => app.setGlobalPrefix('v1') });
    for (const path of ['/v1/mississippi', '/v1/mississippi/', '/v1/mississippi/?a=b']) {
      expect(await scriptOf(opened, path)).toBe('/v1/mississippi/app.js');
    }
    expect((await opened.ask('/v1/mississippi/app.js')).status).toBe(200);
  },
);

test('the page loads less than 100 KB, and nothing from elsewhere', () => {
  const files = ['index.html', 'app.js', 'app.css'].map((name) =>
    readFileSync(new URL(`../dist/client/${name}`, import.meta.url)),
  );
  const size = files.reduce((sum, file) => sum + gzipSync(file).length, 0);
  expect(size).toBeLessThan(100_000);
  expect(files[0]!.toString()).not.toMatch(/https?:|<script(?! type="module" crossorigin src="\.\/app\.js")|style=/);
  expect(files[2]!.toString()).not.toMatch(/url\(|@import/);
});

describe('an action on a process or on a type of messages', () => {
  test.each([
    ['pauseIntake', { process: 'nobody' }],
    ['resumeIntake', {}],
    ['pauseType', { type: '' }],
    ['resumeType', {}],
  ])('%s of %j is refused in words', async (name, parameters) => {
    const opened = await openApp('Express', { dashboard: { actions: true } });
    const [answer] = await opened.act(name, parameters);
    expect(answer).toMatchObject({ event: 'failed', data: { message: expect.any(String) as string } });
    expect(answer!.data['code']).not.toBe('internal');
  });

  test('a type is paused and resumed, and its keys with it', async () => {
    const opened = await openApp('Express', { dashboard: { actions: true } });
    expect(await opened.act('pauseType', { type: 'reading' })).toMatchObject([{ event: 'done' }]);
    expect(await look(opened, 'types')).toEqual({ paused: ['reading'] });
    await opened.producer.publish('good', { shardingKey: 'k', type: 'reading' });
    await settled(opened, 'k');
    expect(await opened.operator.key('k')).toMatchObject({ parkReason: 'type_paused' });
    expect(await opened.act('resumeType', { type: 'reading' })).toMatchObject([{ event: 'done' }]);
    expect(await look(opened, 'types')).toEqual({ paused: [] });
  });
});

test('the stored state of a key is shown as redact lets it be seen', async () => {
  const redact = (value: unknown, { what }: { what: string }) => (what === 'state' ? { count: value } : value);
  const opened = await openApp('Express', { mississippi: { store: memoryStore(), redact } });
  const { key } = await look<{ key: string }>(opened, 'find?text=k');
  expect(await look(opened, `state?key=${key}`)).toMatchObject({ text: null, version: 0 });
  await opened.producer.publish('good', { shardingKey: 'k' });
  let seen = await look<{ text: string | null }>(opened, `state?key=${key}`);
  while (seen.text === null) seen = await look(opened, `state?key=${key}`);
  expect(seen.text).toBe('{\n  "count": 1\n}');
});
