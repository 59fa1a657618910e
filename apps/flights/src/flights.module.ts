import { MississippiModule } from '@mississippi/core';
import { MississippiDashboardModule } from '@mississippi/dashboard';
import { MississippiHealthIndicator } from '@mississippi/terminus';
import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AirportHandler } from './airport.handler.js';
import { AirportsController } from './airports.controller.js';
import type { Backends } from './backends.js';
import { FlightsController } from './flights.controller.js';
import { HealthController } from './health.controller.js';

/** How long a flight that is replayed again is known to be counted, and not counted twice: a year. Milliseconds. */
const INBOX_HORIZON = 365 * 24 * 60 * 60 * 1_000;

@Module({
  imports: [TerminusModule],
  controllers: [FlightsController, AirportsController, HealthController],
  providers: [AirportHandler, MississippiHealthIndicator],
})
export class FlightsModule {
  static register({ transport, store, telemetry, dashboard }: Backends): DynamicModule {
    const durable = store === undefined ? {} : { store, inboxHorizon: INBOX_HORIZON };
    const observed = telemetry === undefined ? {} : { telemetry };
    const shown = dashboard === true ? [MississippiDashboardModule.forRoot({ actions: true })] : [];
    return {
      module: FlightsModule,
      imports: [MississippiModule.forRoot({ transport, ...durable, ...observed }), ...shown],
    };
  }
}
