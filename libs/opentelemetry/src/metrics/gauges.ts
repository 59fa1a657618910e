import type { EngineStatus } from '@mississippi/core/telemetry';
import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';

const SECOND = 1_000;

interface Observed {
  readonly name: string;
  readonly kind: 'gauge' | 'sum' | 'counter';
  /** Left out of what is 1 or 0: some exporters would call it a ratio. */
  readonly unit?: string;
  readonly description: string;
  /** `undefined`: there is no such thing in this instance. */
  readonly of: (status: EngineStatus) => number | undefined;
}

/** What is read when somebody collects. A sum may be added up over processes. */
const OBSERVED: readonly Observed[] = [
  {
    name: 'mississippi.messages.waiting',
    kind: 'sum',
    unit: '{message}',
    description: 'Messages that are here and wait for their turn.',
    of: ({ waitingMessages }) => waitingMessages,
  },
  {
    name: 'mississippi.messages.parked',
    kind: 'sum',
    unit: '{message}',
    description: 'Messages in side queues, or on their way there.',
    of: ({ parkedMessages }) => parkedMessages,
  },
  {
    name: 'mississippi.messages.oldest.age',
    kind: 'gauge',
    unit: 's',
    description:
      'How long the first message of a key has been here and is not finished, of the key that waits the longest.',
    of: ({ oldestHead }) => oldestHead / SECOND,
  },
  {
    name: 'mississippi.attempts.running',
    kind: 'sum',
    unit: '{attempt}',
    description: 'Attempts that run.',
    of: ({ runningAttempts }) => runningAttempts,
  },
  {
    name: 'mississippi.keys.live',
    kind: 'sum',
    unit: '{key}',
    description: 'Keys with a data updater that lives.',
    of: ({ liveKeys }) => liveKeys,
  },
  {
    name: 'mississippi.keys.parked',
    kind: 'sum',
    unit: '{key}',
    description: 'Keys that are parked.',
    of: ({ parkedKeys }) => parkedKeys,
  },
  {
    name: 'mississippi.keys.backing_off',
    kind: 'sum',
    unit: '{key}',
    description: 'Keys whose first message waits for its next attempt.',
    of: ({ backoffs }) => backoffs,
  },
  {
    name: 'mississippi.keys.failing_init',
    kind: 'sum',
    unit: '{key}',
    description: 'Keys whose messages wait because init failed at the last try.',
    of: ({ failingInits }) => failingInits,
  },
  {
    name: 'mississippi.shards.owned',
    kind: 'sum',
    unit: '{shard}',
    description: 'Shards that the process owns.',
    of: ({ shards }) => shards,
  },
  {
    name: 'mississippi.shards.stalled',
    kind: 'sum',
    unit: '{shard}',
    description: 'Shards that wait because their side queue is full.',
    of: ({ stalledShards }) => stalledShards.length,
  },
  {
    name: 'mississippi.transport.connected',
    kind: 'gauge',
    description: '1 while the broker can be reached, else 0.',
    of: ({ transport }) => Number(transport.connected),
  },
  {
    name: 'mississippi.transport.reconnects',
    kind: 'counter',
    unit: '{connection}',
    description: 'Connections to the broker that have come back.',
    of: ({ transport }) => transport.reconnects,
  },
  {
    name: 'mississippi.store.connected',
    kind: 'gauge',
    description: '1 while the store answers, else 0.',
    of: ({ store }) => store && Number(store.connected),
  },
  {
    name: 'mississippi.outbox.waiting',
    kind: 'sum',
    unit: '{message}',
    description: 'Messages that are committed and that the broker has not taken.',
    of: ({ store }) => store?.outbox.waiting,
  },
  {
    name: 'mississippi.outbox.oldest.age',
    kind: 'gauge',
    unit: 's',
    description: 'How long the first of them has waited.',
    of: ({ store }) => store && (store.outbox.oldest?.age ?? 0) / SECOND,
  },
];

const MAKE = {
  gauge: 'createObservableGauge',
  sum: 'createObservableUpDownCounter',
  counter: 'createObservableCounter',
} as const;

/** What an instance has at the moment when somebody collects: one look at its status for all of it. */
export class Gauges {
  private readonly instruments: readonly { readonly observable: Observable; readonly of: Observed['of'] }[];
  private readonly read: (result: BatchObservableResult) => void;

  constructor(
    private readonly meter: Meter,
    shared: Attributes,
    status: () => EngineStatus,
  ) {
    this.instruments = OBSERVED.map(({ name, kind, unit, description, of }) => ({
      observable: meter[MAKE[kind]](name, { description, ...(unit === undefined ? {} : { unit }) }),
      of,
    }));
    this.read = (result) => {
      const now = status();
      for (const { observable, of } of this.instruments) {
        const value = of(now);
        if (value !== undefined) result.observe(observable, value, shared);
      }
    };
    meter.addBatchObservableCallback(this.read, this.observables);
  }

  stop(): void {
    this.meter.removeBatchObservableCallback(this.read, this.observables);
  }

  private get observables(): Observable[] {
    return this.instruments.map(({ observable }) => observable);
  }
}
