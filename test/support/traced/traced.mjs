// An app as a user traces it: an SDK and two instrumentations are registered before anything else is loaded. It serves HTTP,
// consumes, and hands its spans over when it is asked to end.
import { register } from 'node:module';
import { AmqplibInstrumentation } from '@opentelemetry/instrumentation-amqplib';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { SpanKind } from '@opentelemetry/api';

const { rabbit, telemetry: traced } = JSON.parse(process.argv[2]);

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);
registerInstrumentations({ instrumentations: [new HttpInstrumentation(), new AmqplibInstrumentation()] });
const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();

await import('reflect-metadata');
const { Controller, Module, Param, Post } = await import('@nestjs/common');
const { NestFactory } = await import('@nestjs/core');
const { DataUpdaterService, EventsProducer, MessageHandler, MississippiModule } = await import('@mississippi/core');
const { openTelemetry } = await import('@mississippi/opentelemetry');
const { rabbitmq } = await import('@mississippi/rabbitmq');

/** Asks one key and publishes to another, as its message says. */
class Handler {
  constructor(dataUpdaters, producer) {
    this.dataUpdaters = dataUpdaters;
    this.producer = producer;
  }

  async handleMessage(message) {
    if (message.ask !== undefined) await this.dataUpdaters.handleSignal(message.ask, 'question');
    if (message.next !== undefined) await this.producer.publish({}, { shardingKey: message.next });
    process.send({ handled: message });
  }

  handleSignal() {
    return 'answer';
  }
}
MessageHandler()(Handler);
Reflect.defineMetadata('design:paramtypes', [DataUpdaterService, EventsProducer], Handler);

class Messages {
  constructor(producer) {
    this.producer = producer;
  }

  async post(key, ask, next) {
    await this.producer.publish({ ask, next }, { shardingKey: key });
  }
}
Controller()(Messages);
Reflect.defineMetadata('design:paramtypes', [EventsProducer], Messages);
Post(':key/:ask/:next')(Messages.prototype, 'post', Object.getOwnPropertyDescriptor(Messages.prototype, 'post'));
for (const [index, name] of ['key', 'ask', 'next'].entries()) Param(name)(Messages.prototype, 'post', index);

class App {}
const transport = rabbitmq(rabbit);
Module({
  imports: [MississippiModule.forRoot({ transport, ...(traced ? { telemetry: openTelemetry() } : {}) })],
  controllers: [Messages],
  providers: [Handler],
})(App);

const app = await NestFactory.create(App, { logger: ['error', 'warn'] });
await app.listen(0, '127.0.0.1');

async function obey(message) {
  if (message === 'shards') {
    const processes = await app.get(DataUpdaterService).processes();
    process.send({ shards: processes.find(({ self }) => self).shards });
  } else {
    await app.close();
    process.send({ spans: exporter.getFinishedSpans().map(plain) }, () => process.disconnect());
  }
}

// What it rejects with ends the process, and the test with it.
process.on('message', (message) => void obey(message));
process.send({ url: await app.getUrl() });

function plain(span) {
  const { name, kind, instrumentationScope, parentSpanContext, links, attributes } = span;
  const { spanId, traceId } = span.spanContext();
  return {
    name,
    kind: SpanKind[kind],
    scope: instrumentationScope.name,
    id: spanId,
    trace: traceId,
    parent: parentSpanContext?.spanId,
    links: links.map(({ context }) => context.spanId),
    attributes,
  };
}
