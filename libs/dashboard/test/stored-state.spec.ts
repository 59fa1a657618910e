import { memoryStore, type MississippiOptions, type PayloadCodec } from '@mississippi/core';
import type { WireAudit, WireState } from '../src/wire.js';
import { type Adapter, ADAPTERS, type AppOptions, closeApps, openApp, type OpenApp } from './support/open-app.js';

const MARKUP = '<script>alert(1)</script>\u202e';
const ANN = { by: 'ann', reason: 'ticket 12' };

afterEach(closeApps);

/** An app with a key `'k'` that has the state `state`, and its page. */
async function openState(adapter: Adapter, state: unknown, { mississippi, ...options }: AppOptions = {}) {
  const opened = await openApp(adapter, {
    dashboard: { actions: true },
    mississippi: { store: memoryStore(), ...mississippi },
    ...options,
  });
  const look = async <T>(path: string): Promise<T> => (await opened.asPage(`/mississippi/api/${path}`)).json() as T;
  const { key } = await look<{ key: string }>('find?text=k');
  await opened.operator.editState('k', state, ANN);
  const shown = () => look<WireState>(`state?key=${key}`);
  const trail = () => look<WireAudit>(`audit?key=${key}`);
  const act: OpenApp['act'] = (name, parameters) => opened.act(name, parameters);
  return { opened, act, key, shown, trail };
}

/** What an action was refused with. */
function refusal(told: Awaited<ReturnType<OpenApp['act']>>) {
  expect(told).toHaveLength(1);
  expect(told[0]!.event).toBe('failed');
  return told[0]!.data as { code: string; message: string };
}

describe.each(ADAPTERS)('over %s, the stored state', (adapter) => {
  test('is shown with its version, which goes along with an edit, and the next message starts with the new one', async () => {
    const { act, shown, trail, key, opened } = await openState(adapter, 7);
    const { version, ...seen } = await shown();
    expect(seen).toMatchObject({ text: '7', problem: null, size: 1, form: 1, locked: null });
    expect(await act('editState', { key, version, text: '41', ...ANN, reason: MARKUP })).toMatchObject([
      { event: 'done' },
    ]);
    await opened.producer.publish('good', { shardingKey: 'k' });
    while ((await shown()).text === '41');
    expect(await shown()).toMatchObject({ text: '42' });
    expect((await trail()).entries).toMatchObject([
      { action: 'edited', by: 'ann', reason: MARKUP, versionBefore: version, before: '7' },
      { versionBefore: 0, before: null },
    ]);
  });

  test('that has changed since it was shown stays, and the page is told so in words', async () => {
    const { act, shown, key, opened } = await openState(adapter, 7);
    const { version } = await shown();
    await opened.operator.editState('k', 8, { version, ...ANN });
    for (const name of ['editState', 'forgetState', 'restoreState']) {
      const { code, message } = refusal(await act(name, { key, version, text: '9', id: '1', ...ANN }));
      expect(code).toBe('state_version');
      expect(message).toMatch(/The state of the key "k" has the version \d+.*look at it again/);
    }
    expect(await shown()).toMatchObject({ text: '8' });
  });

  test('is forgotten, and restored from the trail', async () => {
    const { act, shown, trail, key } = await openState(adapter, { count: 7 });
    expect(await act('forgetState', { key, version: (await shown()).version, ...ANN })).toMatchObject([
      { event: 'done' },
    ]);
    expect(await shown()).toEqual({
      text: null,
      problem: null,
      version: 0,
      changedAt: null,
      form: null,
      size: 0,
      locked: null,
    });
    const [{ id, before }] = (await trail()).entries as [WireAudit['entries'][number]];
    expect(before).toBe('{\n  "count": 7\n}');
    expect(await act('restoreState', { key, id, version: 0, ...ANN })).toMatchObject([{ event: 'done' }]);
    expect(await shown()).toMatchObject({ text: '{\n  "count": 7\n}' });
  });

  test('is made where there was none', async () => {
    const { act, shown, key } = await openState(adapter, 7);
    await act('forgetState', { key, version: (await shown()).version, ...ANN });
    expect(await act('editState', { key, version: 0, text: '{"a":"é"}', ...ANN })).toMatchObject([{ event: 'done' }]);
    expect(await shown()).toMatchObject({ text: '{\n  "a": "é"\n}' });
  });

  test.each([
    ['no version', { version: undefined }, 'version must be'],
    ['a version that is none', { version: '1' }, 'version must be'],
    ['nobody who does it', { by: '' }, 'by must be'],
    ['no reason', { reason: undefined }, 'reason must be'],
    ['a reason of spaces', { reason: '  ' }, 'reason'],
    ['a text that is no JSON', { text: '{a: 1}' }, 'no JSON'],
    ['no text', { text: undefined }, 'no JSON'],
  ])('is not changed with %s', async (_what, change, says) => {
    const { act, shown, key } = await openState(adapter, 7);
    const { version } = await shown();
    const { message } = refusal(await act('editState', { key, version, text: '8', ...ANN, ...change }));
    expect(message).toContain(says);
    expect(await shown()).toMatchObject({ text: '7', version });
  });

  test('of which redact hides a part is not replaced by what it shows; an earlier one is restored whole', async () => {
    const redact: MississippiOptions['redact'] = (state) => ({ ...(state as object), card: '***' });
    const { act, shown, trail, key } = await openState(adapter, { card: 4_711 }, { mississippi: { redact } });
    const { version, text, locked } = await shown();
    expect([text, locked]).toEqual(['{\n  "card": "***"\n}', expect.stringContaining('redact')]);
    for (const typed of [text, '{"card":1}']) {
      const refused = refusal(await act('editState', { key, version, text: typed, ...ANN }));
      expect(refused).toEqual({ code: 'state_locked', message: locked });
    }
    expect(await shown()).toMatchObject({ version });
    expect(await act('forgetState', { key, version, ...ANN })).toMatchObject([{ event: 'done' }]);
    const [{ id, before }] = (await trail()).entries as [WireAudit['entries'][number]];
    expect(before).toBe(text);
    expect(await act('restoreState', { key, id, version: 0, ...ANN })).toMatchObject([{ event: 'done' }]);
    expect(await shown()).toMatchObject({ size: '{"card":4711}'.length });
  });

  test('that redact shows whole is edited', async () => {
    const redact: MississippiOptions['redact'] = (value, { what }) => (what === 'payload' ? '***' : value);
    const { act, shown, key } = await openState(adapter, { a: 1 }, { mississippi: { redact } });
    const { version, locked } = await shown();
    expect(locked).toBeNull();
    expect(await act('editState', { key, version, text: '2', ...ANN })).toMatchObject([{ event: 'done' }]);
    expect(await shown()).toMatchObject({ text: '2' });
  });

  test('that JSON does not know is not replaced by what JSON makes of it', async () => {
    const dates: PayloadCodec = {
      encode: (value) => Buffer.from((value as { at: Date }).at.toISOString()),
      decode: (bytes) => ({ at: new Date(Buffer.from(bytes).toString()) }),
    };
    const { act, shown, key } = await openState(adapter, { at: new Date(0) }, { mississippi: { state: dates } });
    const { version, locked } = await shown();
    expect(locked).toContain('JSON');
    const refused = refusal(await act('editState', { key, version, text: '{"at":"1970-01-01"}', ...ANN }));
    expect(refused.code).toBe('state_locked');
  });

  test('that is too large for the editor is not offered in it, and what is sent has a limit', async () => {
    const { act, shown, key, opened } = await openState(adapter, 'x'.repeat(60_000));
    const { version, locked } = await shown();
    expect(locked).toBeNull();
    const headers = { ...(await opened.csrf()), 'content-type': 'application/json' };
    const body = JSON.stringify({ key, version, text: JSON.stringify('x'.repeat(98_304)), ...ANN });
    const { status } = await opened.asPage('/mississippi/api/actions/editState', { method: 'POST', headers, body });
    expect(status).toBe(413);
    expect(await act('editState', { key, version, text: JSON.stringify('y'.repeat(70_000)), ...ANN })).toMatchObject([
      { event: 'done' },
    ]);
    expect((await shown()).locked).toContain('larger');
  });

  test.each(['editState', 'forgetState', 'restoreState'])(
    'is not touched by %s where actions are off',
    async (name) => {
      const { opened, key, shown } = await openState(adapter, 7, { dashboard: {} });
      const { version } = await shown();
      const headers = { ...(await opened.csrf()), 'content-type': 'application/json' };
      const body = JSON.stringify({ key, version, id: '1', text: '8', ...ANN });
      const path = `/mississippi/api/actions/${name}`;
      const answer = await opened.asPage(path, { method: 'POST', headers, body });
      expect([answer.status, answer.json()]).toMatchObject([403, { code: 'actions_off' }]);
      const { cookie: _cookie, ...uncovered } = headers;
      expect((await opened.asPage(path, { method: 'POST', headers: uncovered, body })).status).toBe(403);
      expect(await shown()).toMatchObject({ text: '7', version });
    },
  );

  test.each(['state', 'audit'])('needs a store, says the look %s', async (name) => {
    const opened = await openApp(adapter);
    const { key } = (await opened.asPage('/mississippi/api/find?text=k')).json() as { key: string };
    const answer = await opened.asPage(`/mississippi/api/${name}?key=${key}`);
    expect([answer.status, answer.json()]).toMatchObject([409, { code: 'no_store' }]);
  });
});

test('the trail is cut where it is long, and so is each state in it', async () => {
  const { opened, key, shown, trail } = await openState('Express', 'x'.repeat(20_000));
  for (let change = 0; change < 20; change++) {
    await opened.operator.editState('k', change, { version: (await shown()).version, ...ANN });
  }
  const { entries, more } = await trail();
  expect([entries.length, more]).toEqual([20, true]);
  expect(entries.at(-1)!.before).toMatch(/^"x{9999}\n… \(10002 more characters\)$/);
  expect((await opened.asPage(`/mississippi/api/audit?key=${key}&limit=101`)).status).toBe(400);
});

test('a state that cannot be read is told so, and mended', async () => {
  const codec: PayloadCodec = {
    encode: (value) => Buffer.from(value === 7 ? 'broken' : JSON.stringify(value)),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
  };
  const opened = await openApp('Express', {
    dashboard: { actions: true },
    mississippi: { store: memoryStore(), state: codec },
  });
  const { key } = (await opened.asPage('/mississippi/api/find?text=k')).json() as { key: string };
  const shown = async () => (await opened.asPage(`/mississippi/api/state?key=${key}`)).json() as WireState;
  for (let count = 0; count < 7; count++) await opened.producer.publish('good', { shardingKey: 'k' });
  while ((await shown()).problem === null);
  const { version, text, problem, locked } = await shown();
  expect([text, problem, locked]).toEqual([null, expect.stringContaining('cannot be decoded'), null]);
  expect(await opened.act('editState', { key, version, text: '1', ...ANN })).toMatchObject([{ event: 'done' }]);
  expect(await shown()).toMatchObject({ text: '1', problem: null });
});
