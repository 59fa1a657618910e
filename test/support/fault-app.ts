import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  getDataUpdaterServiceToken,
  getEventsProducerToken,
  getMississippiOperatorToken,
  MessageHandler,
  MississippiModule,
  type DataUpdaterService,
  type EventsProducer,
  type MississippiOperator,
  type MessageContext,
  type MississippiOptions,
} from '@mississippi/core';
import { recordedTransport, RecordingHandler, type Numbered } from '@mississippi/history';
import { rabbitmq, type RabbitMqOptions } from '@mississippi/rabbitmq';
import type { History } from './history.js';
import { LogLines } from './log-lines.js';

type Work = (message: Numbered, context: MessageContext) => Promise<'discard' | void>;

export interface FaultAppOptions {
  readonly history: History;
  readonly rabbit: RabbitMqOptions;
  /** What an attempt does between its start and its end, both of which are recorded. Default: one round of the event loop. */
  readonly work?: Work;
  readonly options?: Omit<MississippiOptions, 'transport'>;
}

export interface FaultApp {
  readonly app: INestApplicationContext;
  readonly producer: EventsProducer;
  readonly service: DataUpdaterService;
  readonly logs: LogLines;
  close(): Promise<void>;
}

const oneRound: Work = () => new Promise((resolve) => setImmediate(() => resolve()));

/** An app with the real transport and a handler whose attempts are recorded. */
export async function startFaultApp({ history, rabbit, work = oneRound, options }: FaultAppOptions): Promise<FaultApp> {
  const recorder = history.recorder('app');

  @MessageHandler()
  class Handler extends RecordingHandler<Numbered> {
    constructor() {
      super(recorder);
    }

    protected work(message: Numbered, context: MessageContext): Promise<'discard' | void> {
      return work(message, context);
    }
  }
  const logs = new LogLines();
  const transport = recordedTransport(rabbitmq(rabbit), recorder);
  const module = await Test.createTestingModule({
    imports: [MississippiModule.forRoot({ ...options, transport })],
    providers: [Handler],
  })
    .setLogger(logs)
    .compile();
  const app = module.createNestApplication({ logger: logs });
  await app.init();
  return {
    app,
    producer: app.get(getEventsProducerToken(), { strict: false }),
    service: app.get(getDataUpdaterServiceToken(), { strict: false }),
    logs,
    close: () => app.close(),
  };
}

/** An app that only publishes, from which an operator works. */
export async function startProducer(
  rabbit: RabbitMqOptions,
): Promise<Pick<FaultApp, 'producer' | 'close'> & { readonly operator: MississippiOperator }> {
  const transport = rabbitmq(rabbit);
  const module = await Test.createTestingModule({
    imports: [MississippiModule.forRoot({ producerOnly: true, transport })],
  })
    .setLogger(new LogLines())
    .compile();
  const app = await module.init();
  return {
    producer: app.get(getEventsProducerToken(), { strict: false }),
    operator: app.get(getMississippiOperatorToken(), { strict: false }),
    close: () => app.close(),
  };
}
