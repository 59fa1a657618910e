import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { systemClock } from './clock/system-clock.js';
import { MississippiExplorer } from './mississippi.explorer.js';
import { ConfigurableModuleClass, givenProviders, type RegistrationExtras } from './mississippi.module-definition.js';
import { AsyncRegistration, type AsyncRegistrationOptions, type RegistrationOptions } from './mississippi.options.js';
import { MississippiRuntime } from './mississippi.runtime.js';
import {
  DEFAULT_INSTANCE,
  MISSISSIPPI_CLOCK,
  getDataUpdaterServiceToken,
  getEventsProducerToken,
} from './mississippi.tokens.js';
import { MISSISSIPPI_TEST_BENCH } from './testing/test-bench.token.js';
import { checkObject, validateOptions } from './options/validate-options.js';
import { DataUpdaterService } from './services/data-updater.service.js';
import { EventsProducer } from './services/events-producer.service.js';

/**
 * Handles messages in order, key by key. Import it once for each instance.
 * @example
 * \@Module({ imports: [MississippiModule.forRoot()], providers: [AirportHandler] })
 * export class AppModule {}
 * @publicApi
 */
@Module({ imports: [DiscoveryModule], providers: [MississippiExplorer, MississippiRuntime] })
export class MississippiModule extends ConfigurableModuleClass {
  /**
   * Registers an instance.
   * @param options see `MississippiOptions`; also `name` for apps with several instances, and `global`
   * @throws {InvalidOptionsError} when the app starts, naming each wrong or unknown option
   */
  static override forRoot(options: RegistrationOptions = {}): DynamicModule {
    checkObject('forRoot', options);
    return withServices(super.forRoot(options), options);
  }

  /** The same with options from `useFactory` (and `inject`), `useClass` or `useExisting`; `name` and `global` stay outside. */
  static override forRootAsync(options: AsyncRegistrationOptions): DynamicModule {
    validateOptions('forRootAsync', AsyncRegistration, options);
    return withServices(super.forRootAsync(options), options);
  }
}

function withServices(module: DynamicModule, { name = DEFAULT_INSTANCE }: RegistrationExtras): DynamicModule {
  const service = getDataUpdaterServiceToken(name);
  const producer = getEventsProducerToken(name);
  return {
    ...module,
    providers: [
      ...(module.providers ?? []),
      ...givenProviders(name),
      { provide: MISSISSIPPI_CLOCK, useValue: systemClock },
      { provide: MISSISSIPPI_TEST_BENCH, useValue: undefined },
      {
        provide: service,
        useFactory: (runtime: MississippiRuntime) => new DataUpdaterService(runtime),
        inject: [MississippiRuntime],
      },
      {
        provide: producer,
        useFactory: (runtime: MississippiRuntime) => new EventsProducer(runtime),
        inject: [MississippiRuntime],
      },
    ],
    exports: [...(module.exports ?? []), service, producer],
  };
}
