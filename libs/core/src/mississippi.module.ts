import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { systemClock } from './clock/system-clock.js';
import { describe } from './errors/describe.js';
import { InvalidOptionsError } from './errors/index.js';
import { MississippiExplorer } from './mississippi.explorer.js';
import { featureOf } from './mississippi.feature.js';
import { ConfigurableModuleClass, givenProviders, type RegistrationExtras } from './mississippi.module-definition.js';
import { AsyncRegistration, type AsyncRegistrationOptions, type RegistrationOptions } from './mississippi.options.js';
import { MississippiRuntime } from './mississippi.runtime.js';
import {
  DEFAULT_INSTANCE,
  MISSISSIPPI_CLOCK,
  getDataUpdaterServiceToken,
  getEventsProducerToken,
  getMississippiOperatorToken,
} from './mississippi.tokens.js';
import { MISSISSIPPI_TEST_BENCH } from './testing/test-bench.token.js';
import { checkObject, validateOptions } from './options/validate-options.js';
import { RegistrationCheck } from './registration-check.js';
import { DataUpdaterService } from './services/data-updater.service.js';
import { EventsProducer } from './services/events-producer.service.js';
import { MississippiOperator } from './services/mississippi-operator.service.js';

/**
 * Handles messages in order, key by key. Import it once for each instance, by `forRoot` or `forRootAsync`. Handlers are providers of any
 * module.
 * @example
 * \@Module({ imports: [MississippiModule.forRoot()], providers: [AirportHandler] })
 * export class AppModule {}
 * @publicApi
 */
@Module({ imports: [DiscoveryModule], providers: [RegistrationCheck] })
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

  /**
   * For feature modules: the `DataUpdaterService`, the `EventsProducer` and the `MississippiOperator` of an instance that the root module
   * registers, without `global` there. A feature module's handler or part of one needs no import: it is a provider like any other.
   * @param name of the instance, default `'default'`
   * @throws {NotRegisteredError} when the app starts, where there is no such instance
   */
  static forFeature(name: string = DEFAULT_INSTANCE): DynamicModule {
    if (typeof name !== 'string' || name === '') {
      throw new InvalidOptionsError([
        { path: 'forFeature', expected: `the name of an instance was expected, not ${describe(name)}` },
      ]);
    }
    return featureOf(name);
  }
}

function withServices(module: DynamicModule, { name = DEFAULT_INSTANCE }: RegistrationExtras): DynamicModule {
  const service = getDataUpdaterServiceToken(name);
  const producer = getEventsProducerToken(name);
  const operator = getMississippiOperatorToken(name);
  return {
    ...module,
    providers: [
      ...(module.providers ?? []),
      ...givenProviders(name),
      MississippiExplorer,
      MississippiRuntime,
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
      {
        provide: operator,
        useFactory: (runtime: MississippiRuntime) => new MississippiOperator(runtime),
        inject: [MississippiRuntime],
      },
    ],
    exports: [...(module.exports ?? []), service, producer, operator],
  };
}
