import type { EventsProducer, MississippiEvent } from '@mississippi/core';
import { defer, filter, finalize, from, map, merge, mergeMap, type Observable, type Subscription, take } from 'rxjs';
import { type Flight, messageIdOf } from './flight.js';
import type { ReplayStep } from './replay-step.js';

/** How many flights are on their way to the broker, not confirmed by it: enough to keep it busy while it writes. */
const UNCONFIRMED = 4_000;

/**
 * Publishes flights in their order, many at once: calls for one airport take effect in call order, so none waits for the
 * one before. The queues may still hold flights of an earlier run. With a store that is all one: they have the ids of ours, and
 * count once.
 */
export class QueueReplay {
  /** How many flights with other ids than ours were handled, from the first moment on until this replay ends. */
  leftOver = 0;
  private readonly counting: Subscription;

  /**
   * @param events what the library tells; listened to from now on, so make this before the app starts
   * @param run what the message ids of this run begin with
   */
  constructor(
    private readonly producer: Pick<EventsProducer, 'publish'>,
    private readonly events: Observable<MississippiEvent>,
    private readonly run: string,
    private readonly unconfirmed = UNCONFIRMED,
  ) {
    this.counting = events.pipe(filter(isSettled)).subscribe(({ messageId }) => {
      if (!messageId.startsWith(`${this.run}:`)) this.leftOver++;
    });
  }

  /**
   * Completes when every flight was published and the handler is done with each, in this process; fails with the first
   * one that cannot be published.
   */
  start(flights: readonly Flight[]): Observable<ReplayStep> {
    return defer(() => {
      const awaited = new Set<string>();
      const published = from(flights).pipe(
        mergeMap(async (flight): Promise<ReplayStep> => {
          const messageId = messageIdOf(flight.row, this.run);
          awaited.add(messageId);
          await this.producer.publish(flight, { shardingKey: flight.origin, messageId });
          return 'published';
        }, this.unconfirmed),
      );
      const handled = this.events.pipe(
        filter(isSettled),
        // Not those of others, and each of ours once, even if it comes again after a lost connection.
        filter(({ messageId }) => awaited.delete(messageId)),
        map((): ReplayStep => 'handled'),
        take(flights.length),
      );
      // The listener first: a flight may be handled before its publishing is confirmed.
      return merge(handled, published);
    }).pipe(finalize(() => this.counting.unsubscribe()));
  }
}

/** The ways in which the library is done with a message; the others are on the way there. */
const SETTLED: readonly MississippiEvent['type'][] = ['handled', 'skipped', 'deadLettered'];

function isSettled(event: MississippiEvent): event is MississippiEvent & { messageId: string } {
  return SETTLED.includes(event.type) && 'messageId' in event && event.messageId !== undefined;
}
