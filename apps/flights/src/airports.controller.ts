import { inspect } from 'node:util';
import { DataUpdaterService, type LiveKey } from '@mississippi/core';
import { Controller, Get, NotFoundException, Param, UseInterceptors } from '@nestjs/common';
import { AirportCodePipe } from './airport-code.pipe.js';
import type { AirportSignal } from './airport.handler.js';
import type { AirportStatistics } from './airport-statistics.js';
import { UnavailableInterceptor } from './unavailable.interceptor.js';

const STATISTICS: AirportSignal = { type: 'statistics' };

/** An airport whose data updater lives, or whose flights wait. */
export interface LiveAirport {
  airport: string;
  shard: number;
  state: LiveKey['state'];
  /** Flights that wait, the one that is being counted included. */
  queued: number;
}

/** What the app answers over HTTP. */
@Controller('airports')
@UseInterceptors(UnavailableInterceptor)
export class AirportsController {
  constructor(private readonly dataUpdaters: DataUpdaterService) {}

  @Get()
  list(): LiveAirport[] {
    return [...this.dataUpdaters.liveKeys()]
      .map(({ key, shard, state, queued }) => ({
        airport: typeof key === 'string' ? key : inspect(key),
        shard,
        state,
        queued,
      }))
      .sort((a, b) => a.airport.localeCompare(b.airport));
  }

  @Get(':code')
  async statistics(@Param('code', AirportCodePipe) code: string): Promise<AirportStatistics> {
    const statistics = await this.dataUpdaters.handleSignal<AirportStatistics | null>(code, STATISTICS);
    if (statistics === null) throw new NotFoundException(`No flight departed from ${code} so far.`);
    return statistics;
  }
}
