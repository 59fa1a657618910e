import { Type as TransformTo } from 'class-transformer';
import { IsInt, IsString, registerDecorator, ValidateNested, type ValidationArguments } from 'class-validator';
import {
  memory,
  MessageHandler,
  MississippiModule,
  NOTE_HEADERS,
  type DataUpdaterHandler,
  type MessageHandlerOptions,
  type PayloadCodec,
  type PayloadFormat,
} from '@mississippi/core';
import {
  AT_ONCE,
  closeApps,
  deadLetterOf,
  deadLetterOfBytes,
  injectBytes,
  Logs,
  next,
  producerOf,
  serviceOf,
  startApp,
} from './support/app.js';

afterEach(closeApps);

/** An app whose handler keeps the payloads that it gets. */
async function start(payload?: PayloadFormat, ofHandler: MessageHandlerOptions = {}) {
  const seen: unknown[] = [];
  @MessageHandler(ofHandler)
  class Keeping implements DataUpdaterHandler {
    handleMessage(received: unknown): void {
      seen.push(received);
    }
  }
  const transport = memory();
  const options = { transport, failurePolicy: AT_ONCE, ...(payload === undefined ? {} : { payload }) };
  const app = await startApp({ imports: [MississippiModule.forRoot(options)], providers: [Keeping] });
  return { app, transport, seen, producer: producerOf(app), service: serviceOf(app) };
}

type Started = Awaited<ReturnType<typeof start>>;

async function handle({ service, producer, seen }: Started, payload: unknown): Promise<unknown> {
  const handled = next(service, 'handled');
  await producer.publish(payload, { shardingKey: 'k' });
  await handled;
  return seen.at(-1);
}

/** Starts with a letter of the wrong kind and goes on with a message that is fine. */
async function refusedBytes(started: Started, body: Uint8Array, fine: Uint8Array) {
  const letter = await deadLetterOfBytes(started.app, started.transport, body);
  const handled = next(started.service, 'handled');
  injectBytes(started.transport, fine);
  await handled;
  expect(started.transport.broker.length).toBe(0);
  return letter.headers;
}

describe('json', () => {
  test.each([[null], [false], [0], [''], ['zürich'], [[1, [2]]], [{ a: { b: null } }]])(
    'is the default and brings %j as it was',
    async (payload) => {
      expect(await handle(await start(), payload)).toEqual(payload);
    },
  );

  test.each([
    ['cut off', '{"a":'],
    ['empty', ''],
    ['not JSON at all', 'NaN'],
  ])('that is %s is dead-lettered as payload_undecodable, and the key goes on', async (_name, text) => {
    const headers = await refusedBytes(await start(), Buffer.from(text), Buffer.from('1'));
    expect(headers).toMatchObject({ [NOTE_HEADERS.reason]: 'payload_undecodable', [NOTE_HEADERS.attempts]: 1 });
    expect(headers[NOTE_HEADERS.error]).toMatch(/^The payload cannot be decoded: SyntaxError: /);
  });

  test('that is no UTF-8 is not taken with replacement characters', async () => {
    const headers = await refusedBytes(await start(), Uint8Array.of(0x22, 0xff, 0x22), Buffer.from('1'));
    expect(headers[NOTE_HEADERS.error]).toBe('The payload cannot be decoded: TypeError: the bytes are not UTF-8');
  });
});

describe('text', () => {
  test('brings strings', async () => {
    expect(await handle(await start('text'), 'grüezi 🌊')).toBe('grüezi 🌊');
  });

  test('that is no UTF-8 is dead-lettered as payload_undecodable', async () => {
    const headers = await refusedBytes(await start('text'), Uint8Array.of(0xff), Buffer.from('x'));
    expect(headers[NOTE_HEADERS.reason]).toBe('payload_undecodable');
  });
});

describe('bytes', () => {
  test('brings bytes', async () => {
    const received = await handle(await start('bytes'), Uint8Array.of(0, 255));
    expect(Uint8Array.from(received as Uint8Array)).toEqual(Uint8Array.of(0, 255));
  });

  test('are taken at once: the publisher may reuse its array', async () => {
    const started = await start('bytes');
    const bytes = Uint8Array.of(1);
    const handled = next(started.service, 'handled');
    const published = started.producer.publish(bytes, { shardingKey: 'k' });
    bytes.fill(2);
    await published;
    await handled;
    expect(Uint8Array.from(started.seen[0] as Uint8Array)).toEqual(Uint8Array.of(1));
  });

  test('that a failing attempt overwrote are whole again at the next one, and in the dead letter', async () => {
    const attempts: number[] = [];
    @MessageHandler()
    class Overwriting implements DataUpdaterHandler<unknown, Uint8Array> {
      handleMessage(bytes: Uint8Array): never {
        attempts.push(bytes[0]!);
        bytes.fill(9);
        throw new Error('no');
      }
    }
    const transport = memory();
    const imports = [MississippiModule.forRoot({ transport, payload: 'bytes', failurePolicy: AT_ONCE })];
    const app = await startApp({ imports, providers: [Overwriting] });
    const letter = await deadLetterOf(app, transport, Uint8Array.of(1));
    expect(attempts).toEqual([1, 1, 1]);
    expect(letter.body[0]).toBe(1);
  });
});

describe('a codec', () => {
  class Celsius implements PayloadCodec<number> {
    readonly sign = '°C';
    encode(degrees: number): Uint8Array {
      return Buffer.from(`${degrees}${this.sign}`);
    }
    decode(body: Uint8Array): number {
      const text = Buffer.from(body).toString();
      if (!text.endsWith(this.sign)) throw new RangeError(`no temperature: ${text}`);
      return Number.parseFloat(text);
    }
  }

  test('encodes and decodes with its own this', async () => {
    expect(await handle(await start(new Celsius()), 21.5)).toBe(21.5);
  });

  test('that cannot decode makes a dead letter that tells why', async () => {
    const headers = await refusedBytes(await start(new Celsius()), Buffer.from('70°F'), Buffer.from('1°C'));
    expect(headers[NOTE_HEADERS.error]).toBe('The payload cannot be decoded: RangeError: no temperature: 70°F');
  });

  test('of the handler goes before that of the module, for publishing too', async () => {
    const started = await start('text', { payload: new Celsius() });
    expect(await handle(started, -3)).toBe(-3);
  });

  test('whose encode returns no bytes rejects publish', async () => {
    const codec = { encode: (payload: unknown) => String(payload), decode: (body: Uint8Array) => body };
    const { producer, transport } = await start(codec as unknown as PayloadCodec);
    await expect(producer.publish('x', { shardingKey: 'k' })).rejects.toMatchObject({
      code: 'payload_unencodable',
      message: expect.stringContaining('Uint8Array'),
    });
    expect(transport.broker.length).toBe(0);
  });
});

/** An asynchronous check, as one that asks a database. */
function IsWhere(validate: (value: unknown) => Promise<boolean>): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name: 'isWhere',
      target: target.constructor,
      propertyName: String(propertyName),
      async: true,
      validator: {
        validate,
        defaultMessage: ({ property, value }: ValidationArguments) => `${property} ${String(value)} is unknown`,
      },
    });
}

class Route {
  @IsString()
  @IsWhere(async (value) => value === 'ZRH')
  origin!: string;
}

class Flight {
  @IsInt()
  number!: number;

  @ValidateNested()
  @TransformTo(() => Route)
  route!: Route;
}

describe('a class', () => {
  const fine = { number: 14, route: { origin: 'ZRH' } };

  test('is what the handler gets, nested classes too', async () => {
    const flight = (await handle(await start(Flight), fine)) as Flight;
    expect(flight).toBeInstanceOf(Flight);
    expect(flight.route).toBeInstanceOf(Route);
    expect(flight).toEqual(fine);
  });

  test('is applied to what another transport brought, which is left as it was', async () => {
    const { service, seen } = await start(Flight);
    const payload = structuredClone(fine);
    await service.handleMessage('k', { payload });
    expect(seen[0]).toBeInstanceOf(Flight);
    expect(seen[0]).not.toBe(payload);
    await service.handleMessage('k', { payload: seen[0] });
    expect(seen[1]).toBeInstanceOf(Flight);
    expect(seen[1]).not.toBe(seen[0]);
    await expect(service.handleMessage('k', { payload: new Flight() })).rejects.toMatchObject({
      code: 'payload_invalid',
    });
    await expect(service.handleMessage('k', { payload: { number: 'x' } })).rejects.toMatchObject({
      code: 'payload_invalid',
    });
  });

  test.each<[string, unknown, string]>([
    ['a wrong field', { ...fine, number: '14' }, 'number must be an integer number'],
    ['a wrong nested field', { ...fine, route: { origin: 5 } }, 'route.origin must be a string'],
    ['what an asynchronous validator refuses', { ...fine, route: { origin: 'XXX' } }, 'route.origin XXX is unknown'],
    ['an array', [fine], 'an object was expected'],
    ['null', null, 'an object was expected'],
    ['a string', 'flight', 'an object was expected'],
  ])('refuses %s: payload_invalid, without a retry', async (_name, payload, problem) => {
    const started = await start(Flight);
    const body = Buffer.from(JSON.stringify(payload));
    const headers = await refusedBytes(started, body, Buffer.from(JSON.stringify(fine)));
    expect(headers).toMatchObject({ [NOTE_HEADERS.reason]: 'payload_invalid', [NOTE_HEADERS.attempts]: 1 });
    expect(headers[NOTE_HEADERS.error]).toMatch(/^The payload is no valid Flight: /);
    expect(headers[NOTE_HEADERS.error]).toContain(problem);
    expect(started.seen).toHaveLength(1);
  });

  test('of which the bytes are no JSON: payload_undecodable', async () => {
    const headers = await refusedBytes(await start(Flight), Buffer.from('{'), Buffer.from(JSON.stringify(fine)));
    expect(headers[NOTE_HEADERS.reason]).toBe('payload_undecodable');
  });

  test('whose constructor throws: payload_undecodable', async () => {
    class Fragile {
      @IsInt()
      number = 0;
      constructor() {
        throw new TypeError('fragile');
      }
    }
    const { app, transport } = await start(Fragile);
    const letter = await deadLetterOfBytes(app, transport, Buffer.from('{}'));
    expect(letter.headers[NOTE_HEADERS.reason]).toBe('payload_undecodable');
  });

  test('of which a validator fails, as when its database is away, is a failed attempt', async () => {
    class Checked {
      @IsWhere(() => Promise.reject(new Error('the database is away')))
      airport!: string;
    }
    const { app, transport } = await start(Checked);
    const { headers } = await deadLetterOf(app, transport, { airport: 'ZRH' });
    expect(headers).toMatchObject({
      [NOTE_HEADERS.reason]: 'attempts_exhausted',
      [NOTE_HEADERS.attempts]: 3,
      [NOTE_HEADERS.error]: 'Error: the database is away',
    });
  });

  test('without any validator only transforms', async () => {
    class Stop {
      @TransformTo(() => Route)
      at!: Route;
    }
    const stop = (await handle(await start(Stop), { at: { origin: 'anywhere' } })) as Stop;
    expect(stop).toBeInstanceOf(Stop);
    expect(stop.at).toBeInstanceOf(Route);
  });

  test('cannot be given another prototype by the sender', async () => {
    const { seen, service, transport } = await start(Flight);
    const handled = next(service, 'handled');
    injectBytes(transport, Buffer.from('{"number":1,"route":{"origin":"ZRH"},"__proto__":{"admin":true}}'));
    await handled;
    expect(seen[0]).toBeInstanceOf(Flight);
    expect((seen[0] as { admin?: unknown }).admin).toBeUndefined();
  });
});

test('undecodable messages are logged as dead letters, and neither as unhandled nor as errors of the app', async () => {
  const logs = new Logs();
  @MessageHandler()
  class Silent implements DataUpdaterHandler {
    handleMessage(): void {}
  }
  const transport = memory();
  const app = await startApp(
    { imports: [MississippiModule.forRoot({ transport })], providers: [Silent] },
    undefined,
    logs,
  );
  await deadLetterOfBytes(app, transport, Buffer.from('{'));
  expect(logs.errors).toEqual([
    expect.stringMatching(/is dead-lettered .*\(payload_undecodable\): PayloadDecodeError/),
  ]);
});
