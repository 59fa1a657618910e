import * as v from 'valibot';
import { z } from 'zod';
import {
  memory,
  MessageHandler,
  MississippiModule,
  NOTE_HEADERS,
  type DataUpdaterHandler,
  type PayloadOf,
  type StandardSchema,
} from '@mississippi/core';
import { AT_ONCE, closeApps, deadLetterOf, next, producerOf, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);

const known = async (airport: string): Promise<boolean> => airport !== 'XXX';

const Zod = z.object({
  number: z.coerce.number<string>(),
  stops: z.array(z.object({ at: z.string().refine(known, 'is unknown') })).default([]),
});

const Valibot = v.objectAsync({
  number: v.pipe(v.string(), v.transform(Number), v.number()),
  stops: v.optionalAsync(
    v.arrayAsync(v.objectAsync({ at: v.pipeAsync(v.string(), v.checkAsync(known, 'is unknown')) })),
    [],
  ),
});

/** A schema that is a function, as those of arktype. */
const callable = Object.assign(() => undefined, {
  '~standard': {
    version: 1,
    vendor: 'own',
    validate: (value: unknown) =>
      typeof value === 'object' && value !== null && 'number' in value
        ? { value: { number: Number(value.number), stops: [] } }
        : { issues: [{ message: 'a flight was expected' }] },
  },
} as const) satisfies StandardSchema;

async function start(schema: StandardSchema) {
  const seen: unknown[] = [];
  @MessageHandler({ payload: schema })
  class Keeping implements DataUpdaterHandler {
    handleMessage(flight: unknown): void {
      seen.push(flight);
    }
  }
  const transport = memory();
  const app = await startApp({
    imports: [MississippiModule.forRoot({ transport, failurePolicy: AT_ONCE })],
    providers: [Keeping],
  });
  return { app, transport, seen };
}

describe.each<[string, StandardSchema]>([
  ['zod', Zod],
  ['valibot', Valibot],
  ['a callable schema', callable],
])('%s', (_name, schema) => {
  test('gives the handler its output, not its input', async () => {
    const { app, seen } = await start(schema);
    const handled = next(serviceOf(app), 'handled');
    await producerOf(app).publish({ number: '14' }, { shardingKey: 'k' });
    await handled;
    expect(seen).toEqual([{ number: 14, stops: [] }]);
    await serviceOf(app).handleMessage('k', { payload: { number: '15' } });
    expect(seen[1]).toEqual({ number: 15, stops: [] });
  });

  test('refuses what does not fit, once, and the key goes on', async () => {
    const { app, transport, seen } = await start(schema);
    const { headers } = await deadLetterOf(app, transport, null);
    expect(headers).toMatchObject({ [NOTE_HEADERS.reason]: 'payload_invalid', [NOTE_HEADERS.attempts]: 1 });
    expect(headers[NOTE_HEADERS.error]).toMatch(/^The payload is not valid: .*expected/i);
    expect(seen).toEqual([]);
    await serviceOf(app).handleMessage('k', { payload: { number: '15' } });
    expect(seen).toHaveLength(1);
  });
});

test.each<[string, StandardSchema]>([
  ['zod', Zod],
  ['valibot', Valibot],
])('issues of %s are told with their place, asynchronous ones too', async (_name, schema) => {
  const { app, transport } = await start(schema);
  const { headers } = await deadLetterOf(app, transport, { number: '14', stops: [{ at: 'ZRH' }, { at: 'XXX' }] });
  expect(headers[NOTE_HEADERS.error]).toBe('The payload is not valid: stops[1].at: is unknown');
  await expect(serviceOf(app).handleMessage('k', { payload: { number: '14', stops: [{}] } })).rejects.toMatchObject({
    code: 'payload_invalid',
    problems: [expect.stringMatching(/^stops\[0\]\.at: /)],
  });
});

test('a path may hold segments that are objects, and symbols', async () => {
  const path = [{ key: 'route' }, Symbol('x'), 0] as const;
  const { app, transport } = await start({
    '~standard': { version: 1, vendor: 'own', validate: () => ({ issues: [{ message: 'no', path }] }) },
  });
  const { headers } = await deadLetterOf(app, transport, {});
  expect(headers[NOTE_HEADERS.error]).toBe('The payload is not valid: route.Symbol(x)[0]: no');
});

test.each<[string, () => never | Promise<never>]>([
  [
    'throws',
    () => {
      throw new Error('the database is away');
    },
  ],
  ['rejects', () => Promise.reject(new Error('the database is away'))],
])('a schema that %s, as when its database is away, is a failed attempt', async (_name, validate) => {
  const { app, transport } = await start({ '~standard': { version: 1, vendor: 'own', validate } });
  const { headers } = await deadLetterOf(app, transport, {});
  expect(headers).toMatchObject({
    [NOTE_HEADERS.reason]: 'attempts_exhausted',
    [NOTE_HEADERS.attempts]: 3,
    [NOTE_HEADERS.error]: 'Error: the database is away',
  });
});

test('the type of its output is the type of the payload', () => {
  const flight: PayloadOf<typeof Zod> = { number: 14, stops: [{ at: 'ZRH' }] };
  const same: PayloadOf<typeof Valibot> = flight;
  // @ts-expect-error The input is another type.
  const wrong: PayloadOf<typeof Zod> = { number: '14', stops: [] };
  expect(wrong).not.toEqual(same);
});

test.each<[string, (value: unknown) => unknown, 'handled' | 'exhausted']>([
  [
    'a thenable whose then answers nothing',
    (value) => ({
      then: (done: (result: unknown) => void) => {
        done({ value });
      },
    }),
    'handled',
  ],
  ['no result', () => 5, 'exhausted'],
  ['nothing', () => undefined, 'exhausted'],
])('a schema that answers %s', async (_, validate, event) => {
  const seen: unknown[] = [];
  @MessageHandler({
    payload: { '~standard': { version: 1, vendor: 'odd', validate } } as StandardSchema,
    failurePolicy: AT_ONCE,
  })
  class Odd implements DataUpdaterHandler {
    handleMessage(payload: unknown): void {
      seen.push(payload);
    }
  }
  const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Odd] });
  const over = next(serviceOf(app), event);
  await producerOf(app).publish('x', { shardingKey: 'k' });
  await over;
  expect(seen).toEqual(event === 'handled' ? ['x'] : []);
});
