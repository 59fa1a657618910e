import { MississippiModule, type Transport } from '@mississippi/core';
import { MississippiHealthIndicator } from '@mississippi/terminus';
import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AirportHandler } from './airport.handler.js';
import { AirportsController } from './airports.controller.js';
import { FlightsController } from './flights.controller.js';
import { HealthController } from './health.controller.js';
import { StatisticsStore } from './statistics.store.js';

@Module({
  imports: [TerminusModule],
  controllers: [FlightsController, AirportsController, HealthController],
  providers: [AirportHandler, MississippiHealthIndicator],
})
export class FlightsModule {
  static register(store: StatisticsStore, transport: Transport): DynamicModule {
    return {
      module: FlightsModule,
      imports: [MississippiModule.forRoot({ transport })],
      providers: [{ provide: StatisticsStore, useValue: store }],
    };
  }
}
