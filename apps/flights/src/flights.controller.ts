import { DataUpdaterService } from '@mississippi/core';
import { Controller, ParseIntPipe, UseFilters } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { AirportCodePipe } from './airport-code.pipe.js';
import type { AirportSignal } from './airport.handler.js';
import type { AirportStatistics } from './airport-statistics.js';
import { messageIdOf } from './flight.js';
import { AIRPORT_PATTERN, FLIGHT_PATTERN } from './flights.patterns.js';
import { RpcErrorFilter } from './rpc-error.filter.js';

const STATISTICS: AirportSignal = { type: 'statistics' };

/** What the app answers over TCP. */
@Controller()
@UseFilters(RpcErrorFilter)
export class FlightsController {
  constructor(private readonly dataUpdaters: DataUpdaterService) {}

  /**
   * Nest's TCP server runs the packets of a connection side by side. From here on each flight waits its turn behind
   * the earlier ones of its airport; the answer says that it was counted.
   */
  @MessagePattern(FLIGHT_PATTERN)
  async flight(
    @Payload('origin', AirportCodePipe) origin: string,
    @Payload('row', ParseIntPipe) row: number,
    @Payload() payload: unknown,
  ): Promise<true> {
    // A flight that is sent again has the same id, by which a store knows that it was counted.
    await this.dataUpdaters.handleMessage(origin, { payload, messageId: messageIdOf(row) });
    return true;
  }

  @MessagePattern(AIRPORT_PATTERN)
  async airport(@Payload(AirportCodePipe) code: string): Promise<AirportStatistics | null> {
    return this.dataUpdaters.handleSignal<AirportStatistics | null>(code, STATISTICS);
  }
}
