import type { LoggerService } from '@nestjs/common';
import { Engine } from '../../src/engine/engine.js';
import type { EpochSource } from '../../src/engine/shards/epoch-source.js';
import type {
  DataUpdaterHandler,
  MemoryTransport,
  MemoryTransportOptions,
  MississippiEvent,
  MississippiOptions,
  PublishOptions,
  Transport,
} from '../../src/index.js';
import { DataUpdaterService, EventsProducer, memory, type ShardingKey } from '../../src/index.js';
import { shardOfEncoded } from '../../src/transport/index.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { resolveOptions } from '../../src/mississippi.options.js';
import { FakeClock, settled } from './fake-clock.js';

type EventOf<Type> = Extract<MississippiEvent, { readonly type: Type }>;

export interface TestEngine<T extends Transport = MemoryTransport> {
  readonly engine: Engine;
  readonly clock: FakeClock;
  readonly transport: T;
  readonly service: DataUpdaterService;
  readonly producer: EventsProducer;
  readonly events: MississippiEvent[];
  /** What was logged, in order. */
  readonly logs: string[];
  /** Publishes a payload for a key. */
  readonly publish: (
    key: ShardingKey,
    payload: unknown,
    options?: Omit<PublishOptions, 'shardingKey'>,
  ) => Promise<void>;
  /** Publishes payloads of one key and waits until everything that this sets off has come to rest. */
  readonly send: (key: ShardingKey, ...payloads: unknown[]) => Promise<void>;
  readonly shard: (key: ShardingKey) => number;
  /** The events of one type. */
  readonly of: <Type extends MississippiEvent['type']>(type: Type) => EventOf<Type>[];
}

interface TestOptions<T extends Transport> extends Omit<MississippiOptions, 'transport'> {
  memory?: MemoryTransportOptions;
  clock?: FakeClock;
  transport?: T;
  random?: () => number;
  epochs?: EpochSource;
  logger?: LoggerService;
}

/** An engine without Nest: the embedded transport, fake time, no jitter (each backoff is its upper bound). */
export async function startEngine<T extends Transport = MemoryTransport>(
  handler: DataUpdaterHandler,
  options: TestOptions<T> = {},
): Promise<TestEngine<T>> {
  const { memory: memoryOptions, clock = new FakeClock(), random = () => 1, epochs, logger, ...own } = options;
  const transport = own.transport ?? (memory(memoryOptions) as Transport as T);
  const logs: string[] = [];
  const log = (message: unknown): void => void logs.push(String(message));
  const engine = new Engine({
    options: resolveOptions('default', own),
    handler,
    handlerName: own.producerOnly === true ? '' : 'TestHandler',
    logger: logger ?? { log, warn: log, error: log },
    clock,
    random,
    store: own.store,
    telemetry: own.telemetry,
    ...(epochs === undefined ? {} : { epochs }),
  });
  const events: MississippiEvent[] = [];
  engine.events.subscribe((event) => events.push(event));
  await engine.connect(transport);
  await engine.consume();
  const producer = new EventsProducer({ engine });
  const publish: TestEngine['publish'] = (key, payload, more) =>
    producer.publish(payload, { shardingKey: key, ...more });
  return {
    engine,
    clock,
    transport,
    events,
    logs,
    producer,
    service: new DataUpdaterService({ engine, events: engine.events }),
    publish,
    async send(key, ...payloads) {
      for (const payload of payloads) await publish(key, payload);
      await settled();
    },
    shard: (key) => shardOfEncoded(encodeShardingKey(key), engine.totalCount),
    of: <Type extends MississippiEvent['type']>(type: Type) =>
      events.filter((event): event is EventOf<Type> => event.type === type),
  };
}

/** A promise that the test resolves or rejects. */
export class Gate<T = void> {
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}
