import assert from 'node:assert/strict';
import {
  DataUpdaterService,
  getDataUpdaterServiceToken,
  MessageHandler,
  MississippiModule,
  type CallbackContext,
  type DataUpdaterHandler,
  type SignalFormat,
} from '@mississippi/core';
import { NestFactory } from '@nestjs/core';
import type { Stage } from './stage.js';

/** What an app's handler does with a signal of the cases. */
export type Answerer = (signal: unknown, state: unknown, name: string | undefined) => unknown;

/** Where the key of a call lives: in the caller's process, or elsewhere. */
export interface SignalRoute {
  readonly where: 'here' | 'elsewhere';
  /** @param name of the signal, where it has one */
  readonly call: (signal: unknown, name?: string) => Promise<unknown>;
}

/** The key of every call. */
const KEY = 'the key';

/** Milliseconds between two looks at who owns what. */
const LOOK = 10;

/**
 * An app that owns all shards on the harness's broker, with the core as users have it, and the two ways of a signal: from
 * that app itself, and from one that owns nothing. Transports that live in one process have the first way only.
 */
export async function withSignalRoutes(
  stage: Stage,
  answerer: Answerer,
  body: (routes: readonly SignalRoute[]) => Promise<void>,
  signals: SignalFormat = 'json',
): Promise<void> {
  const crosses = !stage.harness.unsupported.includes('signals');
  const apps: SignalApp[] = [];
  try {
    apps.push(await startApp(stage, signals, answerer));
    if (crosses) apps.push(await startApp(stage, signals, undefined));
    const [owner, caller] = apps;
    await owns(stage, owner!);
    const routes = [routeFrom(owner!, 'here', stage)];
    if (caller !== undefined) routes.push(routeFrom(caller, 'elsewhere', stage));
    await body(routes);
  } finally {
    await Promise.all(apps.map(({ close }) => stage.journal.settled('an app to close', close())));
  }
}

interface SignalApp {
  readonly service: DataUpdaterService;
  readonly close: () => Promise<void>;
}

/** @param answerer left out for an app that only calls */
async function startApp(stage: Stage, signals: SignalFormat, answerer: Answerer | undefined): Promise<SignalApp> {
  class SignalledHandler implements DataUpdaterHandler {
    handleMessage(): void {}

    handleSignal(signal: unknown, state: unknown, { signalName }: CallbackContext): unknown {
      return answerer!(signal, state, signalName);
    }
  }
  MessageHandler()(SignalledHandler);
  class SignalledModule {}
  const { totalCount, prefetch } = stage.options;
  const producerOnly = answerer === undefined;
  const transport = {
    name: 'conformance',
    connect: () => stage.harness.open({ totalCount, prefetch, producerOnly }),
  };
  const imports = [MississippiModule.forRoot({ transport, signals, producerOnly, drainTimeout: 100 })];
  const starting = NestFactory.createApplicationContext(
    { module: SignalledModule, imports, providers: producerOnly ? [] : [SignalledHandler] },
    { logger: false, abortOnError: false },
  );
  const app = await stage.journal.settled('an app to start', starting);
  return { service: app.get(getDataUpdaterServiceToken()), close: () => app.close() };
}

function routeFrom({ service }: SignalApp, where: SignalRoute['where'], { harness }: Stage): SignalRoute {
  const timeout = harness.within;
  return {
    where,
    call: (signal, name) => service.handleSignal(KEY, signal, name === undefined ? { timeout } : { timeout, name }),
  };
}

/** Resolves when the app owns the key's shard. */
async function owns({ harness }: Stage, { service }: SignalApp): Promise<void> {
  for (let tries = harness.within / LOOK; ; tries--) {
    const owned = await service.getDataUpdater(KEY).then(
      () => true,
      () => false,
    );
    if (owned) return;
    assert.ok(tries > 0, `an app that is alone must own every shard within ${harness.within} ms`);
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
}
