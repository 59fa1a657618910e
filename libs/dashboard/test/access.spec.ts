import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { InvalidOptionsError } from '@mississippi/core';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { isHttps } from '../src/access/is-https.js';
import { MississippiDashboardModule } from '../src/index.js';
import { ADAPTERS, closeApps, openApp, type OpenApp } from './support/open-app.js';

const HELLO = '/mississippi/api/hello';
const PAUSE = '/mississippi/api/actions/pause';
const JSON_TYPE = { 'content-type': 'application/json' };

@Injectable()
class Knocking implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-knock'] === 'yes';
  }
}

afterEach(closeApps);

/** What a proxy on the same machine does, such as one that publishes a port to the world. */
async function throughProxy(port: number, headers: Record<string, string>): Promise<number> {
  const proxy = createServer((from, to) => {
    const onwards = request(
      { port, host: '127.0.0.1', path: from.url, headers: { ...from.headers, ...headers } },
      (answer) => {
        to.writeHead(answer.statusCode!);
        answer.pipe(to);
      },
    );
    from.pipe(onwards);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => proxy.once('listening', resolve));
  const { port: open } = proxy.address() as AddressInfo;
  const { status } = await fetch(`http://127.0.0.1:${open}${HELLO}`);
  proxy.close();
  proxy.closeAllConnections();
  return status;
}

describe.each(ADAPTERS)('without guards, over %s, the dashboard', (adapter) => {
  let opened: OpenApp;
  beforeEach(async () => {
    opened = await openApp(adapter, { dashboard: { actions: true } });
  });

  test('shows its page, which shows nothing yet, and asks for the token that was logged', async () => {
    expect((await opened.ask('/mississippi')).status).toBe(200);
    expect(await opened.ask(HELLO)).toMatchObject({ status: 401 });
    expect((await opened.ask(HELLO)).json()).toMatchObject({ code: 'token_required' });
    expect(opened.token).toHaveLength(43);
    expect((await opened.asPage(HELLO)).json()).toMatchObject({ acts: true });
  });

  test.each(['', 'wrong', 'A'.repeat(43), '{}'])('refuses the token "%s"', async (token) => {
    expect((await opened.asPage(HELLO, { headers: { 'x-mississippi-token': token } })).status).toBe(401);
  });

  test('is not opened by a local proxy that rewrites Host', async () => {
    expect(await throughProxy(opened.port, { host: 'localhost' })).toBe(401);
  });

  test.each(['x-forwarded-for', 'forwarded', 'via'])(
    'refuses a proxy that says %s, with the token too',
    async (name) => {
      const token = { 'x-mississippi-token': opened.token! };
      expect(await throughProxy(opened.port, { ...token, [name]: 'for=203.0.113.7' })).toBe(403);
      expect((await opened.ask('/mississippi', { headers: { [name]: '203.0.113.7' } })).status).toBe(403);
    },
  );
});

test.each([undefined, 'api', '/api/v1/'])(
  'the address that is logged is below the global prefix %s',
  async (prefix) => {
    const told: string[] = [];
    const take = (message: unknown): void => void told.push(String(message));
    const opened = await openApp('Express', {
      prepare: (app) => {
        if (prefix !== undefined) app.setGlobalPrefix(prefix);
        app.useLogger({ log: take, warn: take, error: take });
      },
    });
    const address = told.map((line) => /Open (\S+)#token/.exec(line)?.[1]).find((found) => found !== undefined);
    expect((await opened.ask(new URL(address!).pathname)).status).toBe(200);
  },
);

test('another token is made at each start', async () => {
  const [one, other] = [await openApp('Express'), await openApp('Express')];
  expect(one.token).not.toBe(other.token);
});

describe.each(ADAPTERS)('with guards, over %s, the dashboard', (adapter) => {
  test('answers whom they let through, from wherever, and asks for no token', async () => {
    const opened = await openApp(adapter, { dashboard: { guards: [Knocking] } });
    expect(opened.token).toBeUndefined();
    const knocking = { headers: { 'x-knock': 'yes', 'x-forwarded-for': '203.0.113.7' } };
    for (const path of ['/mississippi', '/mississippi/app.js', HELLO, '/mississippi/api/keys']) {
      expect((await opened.ask(path)).status).toBe(403);
      expect((await opened.ask(path, knocking)).status).toBe(200);
    }
    expect((await opened.ask('/mississippi/api/live')).status).toBe(403);
    expect((await opened.ask(PAUSE, { method: 'POST' })).status).toBe(403);
  });
});

describe.each(ADAPTERS)('an action over %s', (adapter) => {
  let opened: OpenApp;
  let key: string;
  const body = () => JSON.stringify({ key });
  const tries = async (headers: Record<string, string>, sent = body()) =>
    opened.asPage(PAUSE, { method: 'POST', headers, body: sent });

  beforeEach(async () => {
    opened = await openApp(adapter, { dashboard: { actions: true } });
    key = ((await opened.asPage('/mississippi/api/find?text=k')).json() as { key: string }).key;
  });
  const untouched = async () => expect(await opened.operator.key('k')).toBeUndefined();

  test('is done with the token of the page', async () => {
    expect((await tries({ ...JSON_TYPE, ...(await opened.csrf()) })).text).toMatch(/^event: done/);
    expect(await opened.operator.key('k')).toMatchObject({ parkedState: 'held' });
  });

  test.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another origin of the same site', { 'sec-fetch-site': 'same-site' }],
    ['a foreign origin, of a browser that says no more', { origin: 'https://evil.example' }],
    ['an origin of another port', { origin: 'http://127.0.0.1:1' }],
    ['no origin, as a sandboxed frame', { origin: 'null' }],
  ])('from %s is refused', async (_from, headers: Record<string, string>) => {
    const { status, text } = await opened.ask(PAUSE, {
      method: 'POST',
      headers: { 'x-mississippi-token': opened.token!, ...JSON_TYPE, ...(await opened.csrf()), ...headers },
      body: body(),
    });
    expect([status, text]).toEqual([403, expect.stringContaining('foreign_origin')]);
    await untouched();
  });

  test('that a proxy brings with another Host is refused in words that say what to set', async () => {
    const proxied = { origin: 'https://ops.example', host: 'app.internal:3000' };
    const headers = { 'x-mississippi-token': opened.token!, ...JSON_TYPE, ...(await opened.csrf()), ...proxied };
    const { message } = (await opened.ask(PAUSE, { method: 'POST', headers, body: body() })).json() as {
      message: string;
    };
    for (const said of [proxied.origin, proxied.host, 'proxy_set_header Host $http_host', 'ProxyPreserveHost On']) {
      expect(message).toContain(said);
    }
    const kept = { ...headers, host: 'ops.example' };
    expect((await opened.ask(PAUSE, { method: 'POST', headers: kept, body: body() })).status).toBe(200);
  });

  test('from another site is not told of proxies', async () => {
    const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    expect((await tries({ ...JSON_TYPE, ...foreign })).json()).toEqual({
      code: 'foreign_origin',
      message: 'This comes from a page of another origin.',
    });
  });

  test('is let through where the origin is the host that was asked', async () => {
    const headers = { 'x-mississippi-token': opened.token!, ...JSON_TYPE, ...(await opened.csrf()) };
    const own = { ...headers, origin: `http://127.0.0.1:${opened.port}` };
    expect((await opened.ask(PAUSE, { method: 'POST', headers: own, body: body() })).status).toBe(200);
  });

  test('without the token of the page, or with another one, is refused', async () => {
    const given = await opened.csrf();
    const { cookie } = given;
    const wrong = 'A'.repeat(43);
    for (const headers of [
      {},
      { cookie },
      { 'x-mississippi-csrf': given['x-mississippi-csrf'] },
      { cookie, 'x-mississippi-csrf': wrong },
      { cookie: 'mississippi_csrf=', 'x-mississippi-csrf': '' },
    ]) {
      const { status, text } = await tries({ ...JSON_TYPE, ...headers });
      expect([status, text]).toEqual([403, expect.stringContaining('csrf_token_required')]);
    }
    await untouched();
  });

  test('as a form of another site could send it is refused', async () => {
    const headers = { ...(await opened.csrf()), 'content-type': 'text/plain' };
    const { status } = await tries(headers);
    expect(status).toBe(415);
    await untouched();
  });

  test('with a body that is too large is refused', async () => {
    const { status } = await tries(
      { ...JSON_TYPE, ...(await opened.csrf()) },
      JSON.stringify({ key, more: 'x'.repeat(20_000) }),
    );
    expect(status).toBe(413);
    await untouched();
  });

  test('with a body that is too large and says not how large is refused', async () => {
    const headers = { ...JSON_TYPE, ...(await opened.csrf()), 'transfer-encoding': 'chunked' };
    expect((await tries(headers, JSON.stringify({ key, more: 'x'.repeat(20_000) }))).status).toBe(413);
    await untouched();
  });

  test.each(['[]', '"k"', 'null', '{'])('with the body %s is refused', async (sent) => {
    expect((await tries({ ...JSON_TYPE, ...(await opened.csrf()) }, sent)).status).toBe(400);
  });

  test.each(['__proto__', 'constructor', 'nothing'])('that is called %s is none', async (name) => {
    const headers = { ...JSON_TYPE, ...(await opened.csrf()) };
    const path = `/mississippi/api/actions/${name}`;
    expect((await opened.asPage(path, { method: 'POST', headers, body: body() })).status).toBe(404);
  });

  test('of an app that has not switched them on is refused', async () => {
    opened = await openApp(adapter);
    const { status, text } = await tries({ ...JSON_TYPE, ...(await opened.csrf()) });
    expect([status, text]).toEqual([403, expect.stringContaining('actions_off')]);
    await untouched();
  });
});

describe.each(ADAPTERS)('the cookie over %s', (adapter) => {
  test.each<[Record<string, string>, boolean]>([
    [{}, false],
    [{ 'x-forwarded-proto': 'http' }, false],
    [{ 'x-forwarded-proto': 'http, https' }, false],
    [{ 'x-forwarded-proto': 'https' }, true],
    [{ 'x-forwarded-proto': 'HTTPS,http' }, true],
    [{ forwarded: 'for=203.0.113.7;proto=https;by=10.0.0.1, for=10.0.0.1;proto=http' }, true],
    [{ forwarded: 'for=203.0.113.7;proto=http, for=10.0.0.1;proto=https' }, false],
    [{ forwarded: 'for="proto=https"' }, false],
  ])('where a proxy says %j is for https alone: %s', async (headers, secure) => {
    const opened = await openApp(adapter, { dashboard: { guards: [Knocking] } });
    const hello = await opened.ask(HELLO, { headers: { 'x-knock': 'yes', ...headers } });
    const [cookie] = hello.headers['set-cookie']!;
    expect(cookie).toMatch(/^mississippi_csrf=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict/);
    expect(cookie!.endsWith('; Secure')).toBe(secure);
  });
});

test('a connection by TLS is https, whatever a header says', () => {
  const socket = new TLSSocket(new Socket());
  expect(isHttps({ socket, headers: { 'x-forwarded-proto': 'http' } } as unknown as IncomingMessage)).toBe(true);
  socket.destroy();
});

test('where the app parses no bodies, an action reads its own, and no more than it may', async () => {
  const opened = await openApp('Express', { dashboard: { actions: true }, bodyParser: false });
  const { key } = (await opened.asPage('/mississippi/api/find?text=k')).json() as { key: string };
  expect(await opened.act('pause', { key })).toEqual([{ event: 'done', data: { answered: true } }]);
  const headers = { ...JSON_TYPE, ...(await opened.csrf()), 'transfer-encoding': 'chunked' };
  const body = JSON.stringify({ key, more: 'x'.repeat(20_000) });
  expect((await opened.asPage(PAUSE, { method: 'POST', headers, body })).status).toBe(413);
});

describe.each(ADAPTERS)('every answer over %s', (adapter) => {
  test.each(['/mississippi', '/mississippi/app.js', '/mississippi/app.css', HELLO, '/mississippi/api/nothing'])(
    'of %s says that it is not to be framed, guessed, kept or shared',
    async (path) => {
      const opened = await openApp(adapter, { prepare: (app) => app.enableCors({ origin: true, credentials: true }) });
      const asked = { headers: { origin: `http://evil.example` } };
      for (const { headers } of [await opened.asPage(path), await opened.ask(path, asked)]) {
        expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'/);
        expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
        expect(headers['content-security-policy']).not.toContain('unsafe');
        expect(headers).toMatchObject({
          'x-frame-options': 'DENY',
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          'cache-control': 'no-store',
        });
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      }
    },
  );
});

test.each([
  [{ path: '' }, 'path'],
  [{ path: 'a b' }, 'path'],
  [{ guards: [undefined] }, 'guards'],
  [{ guards: {} }, 'guards'],
  [{ actions: 'yes' }, 'actions'],
  [{ instance: '' }, 'instance'],
])('the options %j are refused', (options, name) => {
  const register = () => MississippiDashboardModule.forRoot(options as object);
  expect(register).toThrow(InvalidOptionsError);
  expect(register).toThrow(`MississippiDashboardModule.forRoot.${name}`);
});
