import { MessageHandler, type MessageContext, type ShardingKey } from '@mississippi/core';
import { Inject } from '@nestjs/common';
import { AirportHandler } from './airport.handler.js';
import type { AirportStatistics } from './airport-statistics.js';
import { FlightDto } from './flight.dto.js';
import { PLANTED_TROUBLE, type PlantedTrouble } from './planted-trouble.js';

/** Counts flights, but for those that somebody has planted trouble in. */
@MessageHandler({ payload: FlightDto })
export class TroubledAirportHandler {
  private readonly airports = new AirportHandler();

  constructor(@Inject(PLANTED_TROUBLE) private readonly trouble: PlantedTrouble) {}

  async handleMessage(
    flight: FlightDto,
    statistics: AirportStatistics | undefined,
    context: MessageContext<ShardingKey>,
  ) {
    await this.trouble.meet(flight, statistics?.departures ?? 0);
    return this.airports.handleMessage(flight, statistics, context);
  }

  handleSignal(...signal: Parameters<AirportHandler['handleSignal']>) {
    return this.airports.handleSignal(...signal);
  }
}
