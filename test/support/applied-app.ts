import { Test } from '@nestjs/testing';
import {
  getEventsProducerToken,
  getMississippiOperatorToken,
  MessageHandler,
  MississippiModule,
  type EventsProducer,
  type MessageContext,
  type MississippiOperator,
  type MississippiOptions,
  type Transport,
} from '@mississippi/core';
import { AppliedHandler, recordedTransport, RecordingHandler, type Applied, type Numbered } from '@mississippi/history';
import type { Store } from '@mississippi/core/store';
import type { History } from './history.js';
import { LogLines } from './log-lines.js';

export interface AppliedAppOptions {
  readonly history: History;
  readonly transport: Transport;
  /** Left out, nothing is kept, and attempts are recorded all the same. */
  readonly store?: Store;
  /** What an attempt does. Default: one round of the event loop. */
  readonly work?: (message: Numbered, context: MessageContext) => Promise<'discard' | void>;
  /** Its name in the history. Default `app`. */
  readonly name?: string;
  /** Whether replays of dead letters are messages of their own there. Default `false`. */
  readonly marksReplays?: boolean;
  readonly options?: Omit<MississippiOptions, 'transport' | 'store'>;
}

export interface AppliedApp {
  readonly producer: EventsProducer;
  readonly operator: MississippiOperator;
  readonly close: () => Promise<void>;
}

const oneRound = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An app whose states, in a store, say which messages had their effect. */
export async function startAppliedApp(settings: AppliedAppOptions): Promise<AppliedApp> {
  const { history, transport, store, work = oneRound, options } = settings;
  const recorder = history.recorder(settings.name ?? 'app');
  recorder.marksReplays = settings.marksReplays ?? false;
  const recorded = recordedTransport(transport, recorder);
  const root = MississippiModule.forRoot({
    ...options,
    ...(store === undefined ? {} : { store }),
    transport: recorded,
  });

  @MessageHandler()
  class Applying extends AppliedHandler {
    constructor() {
      super(recorder, work);
    }
  }

  @MessageHandler()
  class Forgetful extends RecordingHandler<Numbered> {
    constructor() {
      super(recorder);
    }

    protected work(message: Numbered, context: MessageContext): Promise<'discard' | void> {
      return work(message, context);
    }
  }
  return start(Test.createTestingModule({ imports: [root], providers: [store === undefined ? Forgetful : Applying] }));
}

/** An app that only publishes and operates, beside the processes that handle. */
export function startOperatingApp(transport: Transport, store: Store): Promise<AppliedApp> {
  const root = MississippiModule.forRoot({ producerOnly: true, transport, store });
  return start(Test.createTestingModule({ imports: [root] }));
}

async function start(builder: ReturnType<typeof Test.createTestingModule>): Promise<AppliedApp> {
  const logs = new LogLines();
  const app = (await builder.setLogger(logs).compile()).createNestApplication({ logger: logs });
  await app.init();
  return {
    producer: app.get(getEventsProducerToken(), { strict: false }),
    operator: app.get(getMississippiOperatorToken(), { strict: false }),
    close: () => app.close(),
  };
}

/**
 * Writes a mark into the state of a key that changes all the while: looks, edits, and looks again where the state has changed meanwhile.
 */
export async function mark(operator: MississippiOperator, key: string, name: string): Promise<void> {
  for (;;) {
    const found = await operator.state<Applied>(key);
    const { change = 0, seqs = [], marks = [] } = found?.state ?? {};
    try {
      await operator.editState(
        key,
        { change, seqs, marks: [...marks, name] },
        { version: found?.version, by: 'the test', reason: name },
      );
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'state_version') throw error;
    }
  }
}

/** The numbers from 0 on. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_item, seq) => seq);
}
