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

/** What one may ask an airport. */
export interface AirportSignal {
  type: 'statistics';
}

/** `undefined` until the first flight departed. */
type AirportState = AirportStatistics | undefined;

/**
 * Counts flights. The sharding key is the origin airport: its flights come one after the other, in the order in which
 * they were sent, whatever the other airports do. With a store each counts once, however often it comes, and the statistics last.
 */
@MessageHandler({ payload: FlightDto })
export class AirportHandler implements DataUpdaterHandler<
  AirportState,
  FlightDto,
  ShardingKey,
  AirportSignal,
  AirportStatistics | null
> {
  handleMessage(flight: FlightDto, statistics: AirportState, { key }: MessageContext<ShardingKey>) {
    if (flight.origin !== key) {
      return discard<AirportState>(`the flight departs from ${flight.origin}, which is not its sharding key`);
    }
    return ack<AirportState>(countFlight(statistics, flight));
  }

  /** Statistics are all that there is to ask. */
  handleSignal(_signal: AirportSignal, statistics: AirportState): AirportStatistics | null {
    return statistics ?? null;
  }
}
