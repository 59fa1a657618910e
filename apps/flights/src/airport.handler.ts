import {
  ack,
  type DataUpdaterHandler,
  discard,
  MessageHandler,
  type MessageContext,
  type ShardingKey,
} from '@mississippi/core';
import { type AirportStatistics, countFlight } from './airport-statistics.js';
import { FlightDto } from './flight.dto.js';
import { StatisticsStore } from './statistics.store.js';

/** What one may ask an airport. */
export interface AirportSignal {
  type: 'statistics';
}

/** `undefined` until the first flight departed. */
type AirportState = AirportStatistics | undefined;

/**
 * Counts flights. The sharding key is the origin airport: its flights come one after the other, in the order in which
 * they were sent, whatever the other airports do.
 */
@MessageHandler({
  payload: FlightDto,
  // Only the store can fail here, and then no flight may be left out: its airport waits until the store is back.
  failurePolicy: { attempts: Infinity },
})
export class AirportHandler implements DataUpdaterHandler<
  AirportState,
  FlightDto,
  ShardingKey,
  AirportSignal,
  AirportStatistics | null
> {
  constructor(private readonly store: StatisticsStore) {}

  async init(key: ShardingKey): Promise<AirportState> {
    // Keys that are no airport code come from strangers; handleMessage discards their messages.
    return typeof key === 'string' ? this.store.load(key) : undefined;
  }

  async handleMessage(flight: FlightDto, statistics: AirportState, context: MessageContext<ShardingKey>) {
    if (flight.origin !== context.key) {
      return discard<AirportState>(`the flight departs from ${flight.origin}, which is not its sharding key`);
    }
    // Delivered again after a crash between the write and the ack, or sent twice.
    if (statistics !== undefined && flight.row <= statistics.lastRow) return ack<AirportState>();
    const counted = countFlight(statistics, flight);
    // Stored before the ack: a crash in between repeats the flight, and the line above sees that it was counted.
    await this.store.save(counted);
    return ack<AirportState>(counted);
  }

  /** Statistics are all that there is to ask. */
  handleSignal(_signal: AirportSignal, statistics: AirportState): AirportStatistics | null {
    return statistics ?? null;
  }
}
