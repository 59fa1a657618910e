import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  ack,
  type Ack,
  type DataUpdaterHandler,
  EventsProducer,
  memory,
  MessageHandler,
  MississippiModule,
  MississippiOperator,
  type MississippiOptions,
} from '@mississippi/core';
import { type DynamicModule, type INestApplication, type LoggerService, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { MississippiDashboardModule, type MississippiDashboardOptions } from '../../src/index.js';

export const ADAPTERS = ['Express', 'Fastify'] as const;
export type Adapter = (typeof ADAPTERS)[number];

@Module({})
class TestModule {}

/** Fails at the payload `'bad'`. */
@MessageHandler()
class Counting implements DataUpdaterHandler<number, unknown> {
  async handleMessage(payload: unknown, state: number | undefined): Promise<Ack<number>> {
    if (payload === 'bad') throw new Error('<img src=x onerror=alert(1)> is bad');
    return ack((state ?? 0) + 1);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  json(): unknown;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** An app with a dashboard, as a client sees it that sends what it likes. */
export interface OpenApp {
  readonly app: INestApplication;
  readonly port: number;
  /** That was logged, if one was. */
  readonly token: string | undefined;
  readonly operator: MississippiOperator;
  readonly producer: EventsProducer;
  ask(path: string, asked?: Asked): Promise<Answer>;
  /** With what the page of the dashboard sends. */
  asPage(path: string, asked?: Asked): Promise<Answer>;
  /** What an action needs besides. */
  csrf(): Promise<{ cookie: string; 'x-mississippi-csrf': string }>;
  /** As the page does it. Returns the events that came. */
  act(name: string, parameters: object): Promise<{ event: string; data: Record<string, unknown> }[]>;
}

export interface AppOptions {
  readonly dashboard?: MississippiDashboardOptions;
  readonly mississippi?: Partial<MississippiOptions>;
  readonly bodyParser?: boolean;
  readonly fastify?: ConstructorParameters<typeof FastifyAdapter>[0];
  readonly prepare?: (app: INestApplication) => void;
}

const opened: INestApplication[] = [];

export async function closeApps(): Promise<void> {
  await Promise.all(opened.splice(0).map((app) => app.close()));
}

export async function openApp(adapter: Adapter, options: AppOptions = {}): Promise<OpenApp> {
  const lines: string[] = [];
  const app = await NestFactory.create(
    moduleOf(options),
    adapter === 'Express' ? new ExpressAdapter() : new FastifyAdapter(options.fastify),
    { logger: collecting(lines), abortOnError: false, ...(options.bodyParser === false && { bodyParser: false }) },
  );
  options.prepare?.(app);
  await app.listen(0, '127.0.0.1');
  opened.push(app);
  const { port } = app.getHttpServer().address() as AddressInfo;
  const token = lines.map((line) => /#token=([\w-]+)/.exec(line)?.[1]).find((found) => found !== undefined);
  return new Client(app, port, token, app.get(MississippiOperator), app.get(EventsProducer));
}

function moduleOf({ dashboard, mississippi }: AppOptions): DynamicModule {
  return {
    module: TestModule,
    imports: [
      MississippiModule.forRoot({
        transport: memory({ totalCount: 4 }),
        failurePolicy: { attempts: 1, onExhausted: 'park' },
        ...mississippi,
      }),
      MississippiDashboardModule.forRoot(dashboard),
    ],
    providers: [Counting],
  };
}

function collecting(lines: string[]): LoggerService {
  const take = (message: unknown): void => void lines.push(String(message));
  return { log: take, warn: take, error: take };
}

class Client implements OpenApp {
  constructor(
    readonly app: INestApplication,
    readonly port: number,
    readonly token: string | undefined,
    readonly operator: MississippiOperator,
    readonly producer: EventsProducer,
  ) {}

  async ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Answer> {
    const sent = request({ port: this.port, host: '127.0.0.1', path, method, headers });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const json = (): unknown => JSON.parse(text);
    return { status: response.statusCode!, headers: response.headers, text, json };
  }

  asPage(path: string, { headers, ...asked }: Asked = {}): Promise<Answer> {
    const own = { 'sec-fetch-site': 'same-origin', 'x-mississippi-token': this.token ?? '' };
    return this.ask(path, { ...asked, headers: { ...own, ...headers } });
  }

  async act(name: string, parameters: object): Promise<{ event: string; data: Record<string, unknown> }[]> {
    const headers = { ...(await this.csrf()), 'content-type': 'application/json' };
    const path = `/mississippi/api/actions/${name}`;
    const { text } = await this.asPage(path, { method: 'POST', headers, body: JSON.stringify(parameters) });
    return eventsIn(text);
  }

  async csrf(): Promise<{ cookie: string; 'x-mississippi-csrf': string }> {
    const hello = await this.asPage('/mississippi/api/hello');
    const [cookie] = hello.headers['set-cookie']![0]!.split(';');
    return { cookie: cookie!, 'x-mississippi-csrf': (hello.json() as { csrf: string }).csrf };
  }
}

export function eventsIn(text: string): { event: string; data: Record<string, unknown> }[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const [, event, data] = /^event: (.*)\ndata: (.*)$/s.exec(block)!;
      return { event: event!, data: JSON.parse(data!) as Record<string, unknown> };
    });
}
