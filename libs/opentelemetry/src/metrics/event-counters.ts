import type { MississippiEvent } from '@mississippi/core/telemetry';
import type { Meter } from '@opentelemetry/api';
import { INSTANCE, REASON } from '../own-names.js';
import { Tally } from './tally.js';

type EventType = MississippiEvent['type'];

interface Counted {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Whether it is told apart by its reason, which is one of a few. */
  readonly byReason?: true;
}

/** What is counted; the other events are seen by other metrics. */
const COUNTED: Partial<Record<EventType, Counted>> = {
  handled: { name: 'mississippi.messages.handled', unit: '{message}', description: 'Messages that were handled.' },
  skipped: {
    name: 'mississippi.messages.skipped',
    unit: '{message}',
    description: 'Repeats that were settled without being handled again.',
  },
  discarded: {
    name: 'mississippi.messages.discarded',
    unit: '{message}',
    description: 'Messages that the handler, a guard or a rule for errors refused for good.',
  },
  retried: {
    name: 'mississippi.messages.retried',
    unit: '{attempt}',
    description: 'Attempts that failed and are followed by another.',
  },
  exhausted: {
    name: 'mississippi.messages.exhausted',
    unit: '{message}',
    description: 'Messages whose last attempt failed.',
  },
  abandoned: {
    name: 'mississippi.messages.abandoned',
    unit: '{attempt}',
    description: 'Attempts that did not end in time and are waited for no longer.',
  },
  deadLettered: {
    name: 'mississippi.messages.dead_lettered',
    unit: '{message}',
    description: 'Messages that are in the dead letters.',
    byReason: true,
  },
  parked: {
    name: 'mississippi.keys.parkings',
    unit: '{key}',
    description: 'Keys that were parked: held until somebody resumes them, or under pressure, which ends by itself.',
    byReason: true,
  },
  started: {
    name: 'mississippi.data_updaters.started',
    unit: '{data_updater}',
    description: 'Data updaters that have started.',
  },
  startFailed: {
    name: 'mississippi.data_updaters.start_failures',
    unit: '{start}',
    description: 'Starts of data updaters that failed.',
  },
  deactivated: {
    name: 'mississippi.data_updaters.ended',
    unit: '{data_updater}',
    description: 'Data updaters that have ended.',
  },
  shardLost: {
    name: 'mississippi.shards.lost',
    unit: '{shard}',
    description: 'Shards that were lost without being given back.',
  },
};

/** Counts what the events of an instance tell. */
export class EventCounters {
  private readonly tallies = new Map<EventType, { readonly tally: Tally; readonly byReason: boolean }>();

  constructor(
    meter: Meter,
    private readonly instance: string,
  ) {
    for (const [type, { name, unit, description, byReason = false }] of Object.entries(COUNTED)) {
      this.tallies.set(type as EventType, { tally: Tally.of(meter, name, { unit, description }), byReason });
    }
  }

  happened(type: EventType, reason: string | undefined): void {
    const found = this.tallies.get(type);
    if (found === undefined) return;
    const { instance } = this;
    if (!found.byReason || reason === undefined) found.tally.add(1, instance, () => ({ [INSTANCE]: instance }));
    else found.tally.add(1, `${instance}\n${reason}`, () => ({ [INSTANCE]: instance, [REASON]: reason }));
  }
}
