import type { Type } from '@nestjs/common';
import {
  DataUpdaterService,
  discard,
  EventsProducer,
  keyDigest,
  memory,
  MessageHandler,
  type DataUpdaterHandler,
  type MessageContext,
  type MississippiOptions,
  type PublishOptions,
} from '@mississippi/core';
import type { OpenTelemetryOptions } from '@mississippi/opentelemetry';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { closeApps, startTracedApp } from './support/traced-app.js';
import { TestSdk } from './support/test-sdk.js';

const PUBLISH = 'publish mississippi_{shard}';
const PROCESS = 'process mississippi_{shard}';

let sdk: TestSdk;
beforeEach(() => void (sdk = new TestSdk().register()));
afterEach(async () => {
  await closeApps();
  TestSdk.unregister();
});

type Handle = (payload: unknown, context: MessageContext) => unknown;

/** A handler that does what the test says. */
function handling(handle: Handle): Type<DataUpdaterHandler> {
  @MessageHandler()
  class Handling implements DataUpdaterHandler {
    handleMessage(payload: unknown, _state: unknown, context: MessageContext) {
      return handle(payload, context) as undefined;
    }
    handleSignal(signal: unknown) {
      return signal === 'fail' ? Promise.reject(new RangeError('out of range')) : signal;
    }
  }
  return Handling;
}

async function start(
  handle: Handle = () => undefined,
  options: Omit<MississippiOptions, 'telemetry'> = {},
  telemetry: OpenTelemetryOptions = {},
) {
  const app = await startTracedApp(handling(handle), options, telemetry);
  const producer = app.get(EventsProducer);
  const publish = (payload: unknown, more: Partial<PublishOptions> = {}) =>
    producer.publish(payload, { shardingKey: 'k', ...more });
  return { app, publish, service: app.get(DataUpdaterService) };
}

/** Closes the app, so that all that was published is handled. */
async function handled(): Promise<void> {
  await closeApps();
  expect(sdk.running).toEqual([]);
}

const linked = ({ links }: ReadableSpan): string[] => links.map(({ context: { spanId } }) => spanId);
const idOf = (span: ReadableSpan | undefined): string => span!.spanContext().spanId;

describe('the spans of a message', () => {
  test('say where it went by the semantic conventions, all shards under one name', async () => {
    const { publish } = await start(() => undefined, { transport: memory({ totalCount: 1 }) });
    await publish('a', { messageId: 'm1', correlationId: 'c1' });
    await handled();
    const shared = {
      'messaging.system.name': 'mississippi',
      'messaging.destination.name': 'mississippi_0',
      'messaging.destination.template': 'mississippi_{shard}',
      'messaging.destination.partition.id': '0',
      'messaging.message.id': 'm1',
      'messaging.message.conversation_id': 'c1',
      'mississippi.key': '"k"',
    };
    const [published] = sdk.named(PUBLISH);
    expect(published).toMatchObject({ kind: SpanKind.PRODUCER, status: { code: SpanStatusCode.UNSET } });
    expect(published!.attributes).toEqual({
      ...shared,
      'messaging.operation.name': 'publish',
      'messaging.operation.type': 'send',
    });
    const [processed] = sdk.named(PROCESS);
    expect(processed).toMatchObject({ kind: SpanKind.CONSUMER, status: { code: SpanStatusCode.UNSET } });
    expect(processed!.attributes).toEqual({
      ...shared,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'mississippi.attempt': 1,
      'mississippi.epoch': 1,
      'mississippi.outcome': 'ack',
    });
    expect(processed!.instrumentationScope).toMatchObject({
      name: '@mississippi/opentelemetry',
      schemaUrl: 'https://opentelemetry.io/schemas/1.45.0',
    });
    expect(processed!.parentSpanContext?.spanId).toBe(idOf(published));
    expect(linked(processed!)).toEqual([idOf(published)]);
  });

  test('hide the key where the log does', async () => {
    const { publish } = await start(() => undefined, { logKeys: 'hashed' });
    await publish('a');
    await handled();
    for (const { attributes } of sdk.spans) expect(attributes['mississippi.key']).toBe(keyDigest('k'));
  });

  test('show each attempt, and what it failed with', async () => {
    const { publish } = await start(
      (_payload, { attempt }) => (attempt === 1 ? Promise.reject(new RangeError('out of range')) : discard('for good')),
      { failurePolicy: { backoff: { initial: 0 } } },
    );
    await publish('a');
    await handled();
    const [first, second] = sdk.named(PROCESS);
    expect(first).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: 'RangeError: out of range' },
      attributes: { 'error.type': 'RangeError', 'mississippi.attempt': 1 },
      events: [{ name: 'exception', attributes: { 'exception.message': 'out of range' } }],
    });
    expect(second).toMatchObject({
      status: { code: SpanStatusCode.UNSET },
      attributes: { 'mississippi.outcome': 'discard', 'mississippi.attempt': 2 },
    });
    expect(second!.parentSpanContext?.spanId).toBe(first!.parentSpanContext?.spanId);
  });

  test('show a publish that failed', async () => {
    const error = Object.assign(new Error('no room'), { name: 'queue 7 is full' });
    const transport = memory();
    const connect = transport.connect.bind(transport);
    transport.connect = async (connecting) => {
      const connection = await connect(connecting);
      Reflect.set(connection.publisher, 'publish', () => Promise.reject(error));
      return connection;
    };
    const { publish } = await start(() => undefined, { transport });
    await expect(publish('a')).rejects.toBe(error);
    expect(sdk.named(PUBLISH)[0]).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: 'queue 7 is full: no room' },
      attributes: { 'error.type': 'Error' },
    });
  });
});

describe('a message whose publisher gave it a context', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  test('keeps it; its publishing is a span beside that one, which links to it', async () => {
    const seen: unknown[] = [];
    const { publish } = await start((_payload, { headers }) => void seen.push(headers['traceparent']));
    await publish('a', { headers: { traceparent } });
    await handled();
    const [published] = sdk.named(PUBLISH);
    expect(published!.kind).toBe(SpanKind.CLIENT);
    expect(linked(published!)).toEqual(['b7ad6b7169203331']);
    const [processed] = sdk.named(PROCESS);
    expect(processed!.parentSpanContext).toMatchObject({ spanId: 'b7ad6b7169203331', isRemote: true });
    expect(seen).toEqual([traceparent]);
  });

  test('is handled as any other where that is none', async () => {
    const { publish } = await start();
    await publish('a', { headers: { traceparent: 'rubbish' } });
    await handled();
    expect(sdk.named(PUBLISH)[0]!.kind).toBe(SpanKind.PRODUCER);
    expect(sdk.named(PROCESS)[0]!.parentSpanContext).toBeUndefined();
  });
});

describe('a message that was delivered before', () => {
  test('begins a trace of its own, which links to the one that published it', async () => {
    const { broker } = memory({ totalCount: 1 });
    let hang = true;
    const { publish, app } = await start(
      (_payload, { abortSignal }) =>
        hang ? new Promise((resolve) => abortSignal.addEventListener('abort', resolve)) : undefined,
      { transport: memory({ broker }), drainTimeout: 50 },
    );
    await publish('a');
    await app.close();
    hang = false;
    await new Promise((resolve) => void start(resolve, { transport: memory({ broker }) }));
    await handled();
    const [published] = sdk.named(PUBLISH);
    const [first, second] = sdk.named(PROCESS);
    expect(first!.parentSpanContext?.spanId).toBe(idOf(published));
    expect(second!.parentSpanContext).toBeUndefined();
    expect(second!.spanContext().traceId).not.toBe(published!.spanContext().traceId);
    expect(linked(second!)).toEqual([idOf(published)]);
  });

  test('is as any other where each begins a trace of its own', async () => {
    const { publish } = await start(() => undefined, {}, { linkOnly: true });
    await publish('a');
    await handled();
    const [published] = sdk.named(PUBLISH);
    const [processed] = sdk.named(PROCESS);
    expect(processed!.parentSpanContext).toBeUndefined();
    expect(linked(processed!)).toEqual([idOf(published)]);
  });
});

describe('what comes with the context', () => {
  test('is there in the handler, the baggage too', async () => {
    const seen: unknown[] = [];
    const { publish } = await start(async () => {
      await Promise.resolve();
      seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value);
      seen.push(trace.getActiveSpan()?.spanContext().spanId);
    });
    const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
    await context.with(propagation.setBaggage(context.active(), baggage), () => publish('a'));
    await handled();
    expect(seen).toEqual(['acme', idOf(sdk.named(PROCESS)[0])]);
  });

  test('is nobody’s in the handler of a message that was published in no context', async () => {
    const { publish } = await start();
    await trace.getTracer('app').startActiveSpan('request', async (span) => {
      await publish('a');
      span.end();
    });
    await publish('b');
    await handled();
    const [inside, outside] = sdk.named(PROCESS);
    expect(inside!.spanContext().traceId).toBe(sdk.named('request')[0]!.spanContext().traceId);
    expect(outside!.spanContext().traceId).toBe(sdk.named(PUBLISH)[1]!.spanContext().traceId);
    expect(outside!.spanContext().traceId).not.toBe(inside!.spanContext().traceId);
  });
});

test('a direct message goes on in the context of its caller, and links to what its headers say', async () => {
  const { service } = await start();
  await trace.getTracer('app').startActiveSpan('request', async (span) => {
    await service.handleMessage('k', {
      payload: 'a',
      headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    });
    span.end();
  });
  const [processed] = sdk.named(PROCESS);
  expect(processed!.parentSpanContext?.spanId).toBe(idOf(sdk.named('request')[0]));
  expect(linked(processed!)).toEqual(['b7ad6b7169203331']);
});

test('a signal and its answer say what they are, and what they failed with', async () => {
  const { service } = await start();
  await service.handleSignal('k', 'x', { name: 'status' });
  await expect(service.handleSignal('k', 'fail')).rejects.toThrow('out of range');
  const [signal, failed] = sdk.named('signal mississippi_{shard}');
  const [answer, refused] = sdk.named('answer mississippi_{shard}');
  expect(signal).toMatchObject({
    kind: SpanKind.PRODUCER,
    attributes: {
      'messaging.operation.name': 'signal',
      'messaging.operation.type': 'send',
      'mississippi.signal.name': 'status',
    },
  });
  expect(answer).toMatchObject({
    kind: SpanKind.CONSUMER,
    attributes: {
      'messaging.operation.name': 'answer',
      'messaging.operation.type': 'process',
      'mississippi.signal.name': 'status',
    },
  });
  expect(answer!.parentSpanContext?.spanId).toBe(idOf(signal));
  expect(failed).toMatchObject({
    status: { code: SpanStatusCode.ERROR },
    attributes: { 'error.type': 'RemoteSignalError' },
  });
  expect(refused).toMatchObject({ status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': 'RangeError' } });
});

test('no span is made where traces are not wanted', async () => {
  const seen: unknown[] = [];
  const { publish } = await start(
    (_payload, { headers }) => void seen.push(headers['traceparent']),
    {},
    { traces: false },
  );
  await publish('a');
  await handled();
  expect([sdk.spans, seen]).toEqual([[], [undefined]]);
});
