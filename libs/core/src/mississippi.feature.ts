import { Inject, Injectable, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { NotRegisteredError, NotStartedError } from './errors/index.js';
import { registeredIn, type MississippiRuntime, type Registered } from './mississippi.runtime.js';
import {
  getDataUpdaterServiceToken,
  getEventsProducerToken,
  getMississippiOperatorToken,
} from './mississippi.tokens.js';
import { DataUpdaterService } from './services/data-updater.service.js';
import { EventsProducer } from './services/events-producer.service.js';
import { MississippiOperator } from './services/mississippi-operator.service.js';

const INSTANCE = Symbol('mississippi:feature-instance');

/** The way from a feature module to the instance that the root module registers, whichever of them Nest makes first. */
@Injectable()
class FeatureAccess implements OnModuleInit {
  constructor(
    @Inject(INSTANCE) private readonly instance: string,
    private readonly modules: ModulesContainer,
  ) {}

  onModuleInit(): void {
    const names = this.registered().map(({ registration }) => registration.name);
    if (!names.includes(this.instance)) throw NotRegisteredError.feature(this.instance, names);
  }

  get engine(): MississippiRuntime['engine'] {
    return this.runtime.engine;
  }

  get events(): MississippiRuntime['events'] {
    return this.runtime.events;
  }

  private get runtime(): MississippiRuntime {
    const runtime = this.registered().find(({ registration }) => registration.name === this.instance)?.runtime;
    if (runtime === undefined) throw new NotStartedError(`The instance '${this.instance}'`);
    return runtime;
  }

  private registered(): Registered[] {
    return registeredIn(this.modules);
  }
}

/** What `MississippiModule.forFeature` imports. */
@Module({})
class MississippiFeature {}

export function featureOf(instance: string): DynamicModule {
  const service = getDataUpdaterServiceToken(instance);
  const producer = getEventsProducerToken(instance);
  const operator = getMississippiOperatorToken(instance);
  const inject = [FeatureAccess];
  return {
    module: MississippiFeature,
    providers: [
      FeatureAccess,
      { provide: INSTANCE, useValue: instance },
      { provide: service, useFactory: (access: FeatureAccess) => new DataUpdaterService(access), inject },
      { provide: producer, useFactory: (access: FeatureAccess) => new EventsProducer(access), inject },
      { provide: operator, useFactory: (access: FeatureAccess) => new MississippiOperator(access), inject },
    ],
    exports: [service, producer, operator],
  };
}
