import { inspect } from 'node:util';
import {
  discard,
  memory,
  MessageHandler,
  MississippiModule,
  NOTE_HEADERS,
  RemoteSignalError,
  stop,
  type DataUpdaterHandler,
} from '@mississippi/core';
import { AT_ONCE, closeApps, deadLetterOf, next, producerOf, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);

function refuse(): never {
  throw new Error('hands off');
}

const inherited = new Error('its own cause');
inherited.cause = inherited;
const hostile = new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse });

/** Values that are hard to look at. */
const ODD: [string, unknown][] = [
  ['a string', 'a word'],
  ['null', null],
  ['a symbol', Symbol('odd')],
  ['an object without a prototype', Object.create(null)],
  ['a proxy that throws', hostile],
  ['an object that throws when it is shown', { [inspect.custom]: refuse }],
  ['an error that is its own cause', inherited],
  ['an error whose message throws', Object.defineProperty(new Error('x'), 'message', { get: refuse })],
  ['an error whose name is a symbol', Object.assign(new Error('x'), { name: Symbol('odd') })],
  ['an error whose message is an object', Object.assign(new Error('x'), { message: Object.create(null) as string })],
  ['an error whose cause throws', Object.defineProperty(new Error('x'), 'cause', { get: refuse })],
  ['an error whose cause is a proxy that throws', new Error('x', { cause: hostile })],
];

function thenable(descriptor: PropertyDescriptor, method = 'then'): object {
  return Object.defineProperty({}, method, descriptor);
}

/** Thenables that break the rules of promises. */
const THENABLES: [string, object][] = [
  ['whose then throws', thenable({ value: refuse })],
  ['whose then cannot be read', thenable({ get: refuse })],
  [
    'that rejects with nothing',
    thenable({ value: (_resolve: unknown, reject: (error?: unknown) => void) => reject() }),
  ],
  [
    'that answers twice',
    thenable({
      value: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
        reject(new Error('first'));
        resolve(undefined);
        refuse();
      },
    }),
  ],
];

interface Behaviour {
  readonly message?: () => unknown;
  readonly signal?: () => unknown;
  readonly init?: () => unknown;
  readonly terminate?: () => unknown;
}

async function start({ message, signal, init, terminate }: Behaviour) {
  @MessageHandler()
  class Handler implements DataUpdaterHandler {
    init(): unknown {
      return init?.();
    }
    handleMessage(payload: unknown) {
      return (payload === 'odd' ? message?.() : undefined) as undefined;
    }
    handleSignal(asked: unknown): unknown {
      return asked === 'odd' ? signal?.() : 'fine';
    }
    terminate() {
      return terminate?.() as undefined;
    }
  }
  const transport = memory();
  const imports = [MississippiModule.forRoot({ transport, failurePolicy: AT_ONCE })];
  const app = await startApp({ imports, providers: [Handler] });
  const service = serviceOf(app);
  return {
    app,
    service,
    letter: () => deadLetterOf(app, transport, 'odd'),
    /** The key goes on, and so does another one. */
    goesOn: async () => {
      for (const shardingKey of ['k', 'other']) {
        const handled = next(service, 'handled');
        await producerOf(app).publish('fine', { shardingKey });
        await handled;
      }
      expect(transport.broker.length).toBe(0);
    },
  };
}

describe('handleMessage', () => {
  test.each(ODD)('that throws %s is a failed attempt like any other', async (_name, thrown) => {
    const { letter, goesOn } = await start({
      message: () => {
        throw thrown;
      },
    });
    expect((await letter()).headers).toMatchObject({
      [NOTE_HEADERS.reason]: 'attempts_exhausted',
      [NOTE_HEADERS.attempts]: 3,
    });
    await goesOn();
  });

  test.each(ODD)('that rejects with %s is one too', async (_name, thrown) => {
    const { letter, goesOn } = await start({ message: () => Promise.reject(thrown) });
    expect((await letter()).headers[NOTE_HEADERS.attempts]).toBe(3);
    await goesOn();
  });

  test.each(ODD)('that returns %s is one too', async (_name, value) => {
    const { letter, goesOn } = await start({ message: () => value });
    expect((await letter()).headers[NOTE_HEADERS.attempts]).toBe(3);
    await goesOn();
  });

  test.each(THENABLES)('that returns a thenable %s is one too', async (_name, thenable) => {
    const { letter, goesOn } = await start({ message: () => thenable });
    expect((await letter()).headers[NOTE_HEADERS.attempts]).toBe(3);
    await goesOn();
  });

  test.each(ODD)('that discards for %s makes a dead letter', async (_name, reason) => {
    const { letter, goesOn } = await start({ message: () => discard(reason) });
    expect((await letter()).headers[NOTE_HEADERS.reason]).toBe('discarded');
    await goesOn();
  });

  test.each(ODD)('that stops and discards for %s makes one too', async (_name, reason) => {
    const { letter, goesOn } = await start({ message: () => stop(reason, { settle: 'discard' }) });
    expect((await letter()).headers[NOTE_HEADERS.reason]).toBe('discarded');
    await goesOn();
  });
});

describe('handleSignal', () => {
  test.each(ODD)('that throws %s rejects its caller with it for a cause', async (_name, thrown) => {
    const { service, goesOn } = await start({
      signal: () => {
        throw thrown;
      },
    });
    const caught = await service.handleSignal('k', 'odd').then(
      () => 'an answer',
      (error: unknown) => ({ error }),
    );
    const { error } = caught as { error?: unknown };
    expect(error).toBeInstanceOf(RemoteSignalError);
    expect(Object.is((error as Error).cause, thrown)).toBe(true);
    expect(await service.handleSignal('k', 'x')).toBe('fine');
    await goesOn();
  });

  test.each(THENABLES)('that returns a thenable %s rejects its caller', async (_name, thenable) => {
    const { service, goesOn } = await start({ signal: () => thenable });
    const answer = await service.handleSignal('k', 'odd').then(
      () => 'an answer',
      () => 'an error',
    );
    expect(answer).toBe('an error');
    await goesOn();
  });
});

test.each(ODD)('init that throws %s once is tried again', async (_name, thrown) => {
  let failures = 0;
  const { service, goesOn } = await start({
    init: () => {
      if (failures++ === 0) throw thrown;
      return 0;
    },
  });
  await expect(service.getDataUpdater('k')).rejects.toMatchObject({ code: 'data_updater_start' });
  await goesOn();
});

test.each(ODD)('terminate that throws %s holds up no shutdown', async (_name, thrown) => {
  const { app, service } = await start({
    terminate: () => {
      throw thrown;
    },
  });
  await service.getDataUpdater('k');
  await app.close();
});
