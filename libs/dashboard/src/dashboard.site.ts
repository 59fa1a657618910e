import type { Server } from 'node:net';
import { getMississippiOperatorToken, type MississippiOperator } from '@mississippi/core';
import { Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { ApplicationConfig, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { csrfTokenFor } from './access/csrf.js';
import { Door } from './access/door.js';
import { ACTION_LIST, actionCalled } from './api/actions.js';
import { statusOf, wireError } from './api/errors.js';
import { keyAt } from './api/key-address.js';
import { lookCalled } from './api/looks.js';
import { ClientFiles } from './client-files.js';
import type { DashboardSettings } from './dashboard.options.js';
import { EventStream } from './http/event-stream.js';
import type { Exchange } from './http/exchange.js';
import { openWithSlash } from './http/open-with-slash.js';
import { readBody } from './http/read-body.js';
import { sendJson, setHeaders } from './http/respond.js';
import { atMostEach } from './live/at-most-each.js';
import { LiveLooks } from './live/live-looks.js';
import type { Hello } from './wire.js';

/** Of an action that takes long. Milliseconds. */
const EACH_PROGRESS = 250;

/** What answers the requests that the user's guards have let through. */
export class DashboardSite implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('MississippiDashboard');
  private readonly files = new ClientFiles();
  private readonly door: Door;
  private readonly live: LiveLooks;

  constructor(
    private readonly settings: DashboardSettings,
    private readonly moduleRef: ModuleRef,
    private readonly adapterHost: HttpAdapterHost,
  ) {
    this.door = new Door(settings.guards.length > 0, settings.actions);
    this.live = new LiveLooks(() => this.operator);
  }

  onApplicationBootstrap(): void {
    const { token } = this.door;
    const { httpAdapter } = this.adapterHost;
    if (httpAdapter?.getType() === 'fastify') openWithSlash(httpAdapter, this.address);
    const server = httpAdapter?.getHttpServer() as Server | undefined;
    if (token === undefined || server === undefined) return;
    if (server.listening) this.tellToken(server, token);
    else server.once('listening', () => this.tellToken(server, token));
  }

  /** A warning, so that it is seen by those too who log nothing less: there are no guards. */
  private tellToken(server: Server, token: string): void {
    const address = server.address();
    const place = typeof address === 'object' && address !== null ? `http://localhost:${address.port}` : '';
    this.logger.warn(
      `The dashboard has no guards: it answers on this machine only, and asks for a token. Open ${place}${this.address}#token=${token}`,
    );
  }

  /** The path of the page, below the app's global prefix. */
  private get address(): string {
    return `/${globalPrefixOf(this.moduleRef)}${this.settings.path}`;
  }

  onModuleDestroy(): void {
    this.live.end();
  }

  page(exchange: Exchange): void {
    this.answer(exchange, () => {
      this.door.page(exchange.request);
      const { pathname } = exchange.url;
      // Relative, so that it holds behind a proxy that puts the app elsewhere.
      const base = pathname.endsWith('/') ? './' : `./${this.settings.path.split('/').at(-1)!}/`;
      this.files.page(exchange, base);
    });
  }

  file(exchange: Exchange, name: 'app.js' | 'app.css'): void {
    this.answer(exchange, () => {
      this.door.page(exchange.request);
      this.files.send(exchange, name);
    });
  }

  hello(exchange: Exchange): void {
    this.answer(exchange, () => {
      const { request, response } = exchange;
      this.door.look(request);
      const { actions: acts, instance } = this.settings;
      const hello: Hello = { instance, csrf: csrfTokenFor(request, response), acts, actions: ACTION_LIST };
      sendJson(response, 200, hello);
    });
  }

  watch(exchange: Exchange): void {
    this.answer(exchange, () => {
      this.door.look(exchange.request);
      this.live.checkRoom();
      const address = exchange.url.searchParams.get('key');
      const key = address === null ? undefined : keyAt(address);
      const stream = new EventStream(exchange.response);
      // Both frameworks bring it here: it wants to know what a GET would say, and nobody would read what comes after.
      if (exchange.request.method === 'HEAD') stream.end();
      else if (key === undefined) this.live.watchAll(stream);
      else this.live.watchKey(key, stream);
    });
  }

  look(exchange: Exchange): void {
    this.answer(exchange, async () => {
      this.door.look(exchange.request);
      const { searchParams } = exchange.url;
      const look = lookCalled(nameIn(exchange));
      sendJson(exchange.response, 200, await look(this.operator, Object.fromEntries(searchParams)));
    });
  }

  /** It may take long, so that its progress is told as it goes; what it ends with is told too. */
  act(exchange: Exchange): void {
    this.answer(exchange, async () => {
      this.door.action(exchange.request);
      const action = actionCalled(nameIn(exchange));
      const parameters = await readBody(exchange, action.largestBody);
      const stream = new EventStream(exchange.response);
      try {
        const told = atMostEach(EACH_PROGRESS, (progress: object) => stream.send('progress', progress));
        const result = await action.run(this.operator, parameters, told);
        stream.send('done', { answered: result !== undefined });
      } catch (error) {
        this.logUnknown(error);
        stream.send('failed', wireError(error));
      }
      stream.end();
    });
  }

  /** Looked for when it is needed, in whichever module it was imported. */
  private get operator(): MississippiOperator {
    return this.moduleRef.get<MississippiOperator>(getMississippiOperatorToken(this.settings.instance), {
      strict: false,
    });
  }

  private answer({ response }: Exchange, work: () => void | Promise<void>): void {
    setHeaders(response);
    const refused = (error: unknown): void => {
      this.logUnknown(error);
      if (response.headersSent) response.end();
      else sendJson(response, statusOf(error), wireError(error));
    };
    try {
      void Promise.resolve(work()).catch(refused);
    } catch (error) {
      refused(error);
    }
  }

  /** What the page is not told must be somewhere. */
  private logUnknown(error: unknown): void {
    if (statusOf(error) === 500) this.logger.error(error);
  }
}

/** With a slash at its end. No provider has it: it is in what the module reference keeps for itself (Nest 11 and 12). */
function globalPrefixOf(moduleRef: ModuleRef): string {
  const { container } = moduleRef as unknown as { container?: { applicationConfig?: ApplicationConfig } };
  const prefix = container?.applicationConfig?.getGlobalPrefix().replace(/^\/|\/$/g, '') ?? '';
  return prefix === '' ? '' : `${prefix}/`;
}

/** The last segment; what is malformed is the name of nothing. */
function nameIn({ url }: Exchange): string {
  return url.pathname.split('/').at(-1) ?? '';
}
