import { MississippiModule, type MississippiOptions } from '@mississippi/core';
import { MississippiDashboardModule } from '@mississippi/dashboard';
import { MississippiHealthIndicator } from '@mississippi/terminus';
import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AirportHandler } from './airport.handler.js';
import { AirportsController } from './airports.controller.js';
import type { Backends } from './backends.js';
import { FlightsController } from './flights.controller.js';
import { HealthController } from './health.controller.js';
import { PLANTED_TROUBLE, PlantedTrouble, type TroubleOptions } from './planted-trouble.js';
import { TroubledAirportHandler } from './troubled-airport.handler.js';

/** How long a flight that is replayed again is known to be counted, and not counted twice: a year. Milliseconds. */
const INBOX_HORIZON = 365 * 24 * 60 * 60 * 1_000;

/** What is planted is to be seen soon, and to stay until somebody frees it. */
function troubled({ sideQueue }: TroubleOptions): MississippiOptions {
  return {
    failurePolicy: { attempts: 3, onExhausted: 'park' },
    hangingInterval: 5_000,
    handlerTimeout: 60_000,
    ...(sideQueue === undefined ? {} : { sideQueueLimit: sideQueue }),
  };
}

@Module({
  imports: [TerminusModule],
  controllers: [FlightsController, AirportsController, HealthController],
  providers: [MississippiHealthIndicator],
})
export class FlightsModule {
  static register({ transport, store, telemetry, dashboard }: Backends, trouble?: TroubleOptions): DynamicModule {
    const durable = store === undefined ? {} : { store, inboxHorizon: INBOX_HORIZON };
    const observed = telemetry === undefined ? {} : { telemetry };
    const shown = dashboard === true ? [MississippiDashboardModule.forRoot({ actions: true })] : [];
    return {
      module: FlightsModule,
      imports: [
        MississippiModule.forRoot({ transport, ...durable, ...observed, ...(trouble ? troubled(trouble) : {}) }),
        ...shown,
      ],
      providers: trouble
        ? [TroubledAirportHandler, { provide: PLANTED_TROUBLE, useValue: new PlantedTrouble(trouble) }]
        : [AirportHandler],
    };
  }
}
