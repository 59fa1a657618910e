import { PUBLISHED_AT_HEADER } from '@mississippi/core';
import type {
  CommitGroup,
  MississippiEvent,
  ObservedInstance,
  ObservedMessage,
  Operation,
} from '@mississippi/core/telemetry';
import type { Attributes, Histogram, Meter } from '@opentelemetry/api';
import { destinationAttributes } from '../destination-attributes.js';
import { typeOf } from '../error-type.js';
import { nameOf, typeOfOperation } from '../operations.js';
import { INSTANCE } from '../own-names.js';
import {
  DURATION_BUCKETS,
  ERROR_TYPE,
  MESSAGING_OPERATION_NAME,
  MESSAGING_OPERATION_TYPE,
  METRIC_CONSUMED_MESSAGES,
  METRIC_OPERATION_DURATION,
  METRIC_PROCESS_DURATION,
  METRIC_SENT_MESSAGES,
} from '../semantic-conventions.js';
import { EventCounters } from './event-counters.js';
import { Gauges } from './gauges.js';
import { Measure, type Measured } from './measure.js';
import { Tally } from './tally.js';

const SECOND = 1_000;
/** Messages may wait for much longer than they take. Seconds. */
const LATENCY_BUCKETS = [...DURATION_BUCKETS, 30, 60, 300, 1_800, 3_600];

/** The metrics of one instance. None has a key, a message or a shard among its attributes. */
export class Meters {
  private readonly events: EventCounters;
  private readonly gauges: Gauges;
  private readonly operations: Histogram;
  private readonly sent: Tally;
  private readonly processing: Histogram;
  private readonly consumed: Tally;
  private readonly latency: Histogram;
  private readonly commits: Tally;
  private readonly commitDuration: Histogram;
  private readonly own: Attributes;
  /** By the name of the operation. */
  private readonly measured = new Map<string, Measured>();

  constructor(
    meter: Meter,
    private readonly instance: ObservedInstance,
  ) {
    const histogram = (name: string, description: string, explicitBucketBoundaries = DURATION_BUCKETS) =>
      meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries } });
    const messages = (name: string, description: string) => Tally.of(meter, name, { unit: '{message}', description });
    this.own = { [INSTANCE]: instance.name };
    this.events = new EventCounters(meter, instance.name);
    this.gauges = new Gauges(meter, this.own, () => instance.status());
    this.operations = histogram(
      METRIC_OPERATION_DURATION,
      'Until the broker had confirmed a message, or a signal was answered.',
    );
    this.sent = messages(METRIC_SENT_MESSAGES, 'Messages that were to be sent to the broker.');
    this.processing = histogram(METRIC_PROCESS_DURATION, 'Attempts at messages, and answers to signals.');
    this.consumed = messages(METRIC_CONSUMED_MESSAGES, 'Messages whose first attempt has begun.');
    this.latency = histogram(
      'mississippi.messages.latency',
      'From the publishing of a message to its first attempt, by the clocks of two machines.',
      LATENCY_BUCKETS,
    );
    this.commits = Tally.of(meter, 'mississippi.store.commits', {
      unit: '{commit}',
      description: 'What was committed: callbacks, mostly.',
    });
    this.commitDuration = histogram(
      'mississippi.store.commit.duration',
      'Groups of commits, which share one round trip.',
    );
  }

  /** `undefined` where nothing is measured of the operation. */
  measure(operation: Operation): Measure | undefined {
    const type = typeOfOperation(operation);
    if (type === undefined || type === 'create') return undefined;
    const measured = this.measuredAs(operation, type);
    if (operation.kind === 'callback' && operation.attempt === 1) this.consume(operation.message, measured);
    return new Measure(measured);
  }

  happened(type: MississippiEvent['type'], reason: string | undefined): void {
    this.events.happened(type, reason);
  }

  committed({ size, duration, error }: CommitGroup): void {
    const type = error === undefined ? undefined : typeOf(error);
    const attributes = type === undefined ? this.own : { ...this.own, [ERROR_TYPE]: type };
    this.commits.add(size, `${this.instance.name}\n${type ?? ''}`, () => attributes);
    this.commitDuration.record(duration / SECOND, attributes);
  }

  stop(): void {
    this.gauges.stop();
  }

  /** The first attempt at a message begins. */
  private consume(message: ObservedMessage | undefined, { name, attributes }: Measured): void {
    if (message === undefined) return;
    this.consumed.add(1, name, () => attributes);
    const publishedAt = message.headers[PUBLISHED_AT_HEADER];
    if (typeof publishedAt !== 'number') return;
    // Clocks of two machines may differ, and nothing is handled before it was published.
    this.latency.record(Math.max(0, this.instance.clock.time() - publishedAt) / SECOND, this.own);
  }

  private measuredAs(operation: Operation, type: 'send' | 'process'): Measured {
    const name = nameOf(operation);
    const known = this.measured.get(name);
    if (known !== undefined) return known;
    const { destination } = this.instance;
    const measured = {
      // Instances share tallies, and are told apart by where their messages go.
      name: `${name}\n${destination.template}`,
      attributes: {
        ...destinationAttributes(destination),
        [MESSAGING_OPERATION_NAME]: name,
        [MESSAGING_OPERATION_TYPE]: type,
      },
      durations: type === 'send' ? this.operations : this.processing,
      ended: type === 'send' && operation.kind !== 'signal' ? this.sent : undefined,
    };
    this.measured.set(name, measured);
    return measured;
  }
}
