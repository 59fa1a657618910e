import type { InjectionToken } from '@nestjs/common';
import { DEFAULT_INSTANCE } from './default-instance.js';
import { DataUpdaterService } from './services/data-updater.service.js';
import { EventsProducer } from './services/events-producer.service.js';
import { MississippiOperator } from './services/mississippi-operator.service.js';

export { DEFAULT_INSTANCE };

/**
 * The token of the `Clock` that every instance and its transport use: override its provider to drive time in a test.
 * @publicApi
 */
export const MISSISSIPPI_CLOCK = Symbol('mississippi:clock');

/**
 * The token of an instance's `DataUpdaterService`: the class itself for the default instance.
 * @publicApi
 */
export function getDataUpdaterServiceToken(instance: string = DEFAULT_INSTANCE): InjectionToken {
  return instance === DEFAULT_INSTANCE ? DataUpdaterService : `mississippi:${instance}:data-updater-service`;
}

/**
 * The token of an instance's `EventsProducer`: the class itself for the default instance.
 * @publicApi
 */
export function getEventsProducerToken(instance: string = DEFAULT_INSTANCE): InjectionToken {
  return instance === DEFAULT_INSTANCE ? EventsProducer : `mississippi:${instance}:events-producer`;
}

/**
 * The token of an instance's `MississippiOperator`: the class itself for the default instance.
 * @publicApi
 */
export function getMississippiOperatorToken(instance: string = DEFAULT_INSTANCE): InjectionToken {
  return instance === DEFAULT_INSTANCE ? MississippiOperator : `mississippi:${instance}:operator`;
}

/**
 * The token of an instance's options, as `forRoot` or the factory of `forRootAsync` gave them: override its provider to start an
 * app with others, in a test say. `name` and `global` are not among them.
 * @publicApi
 */
export function getMississippiOptionsToken(instance: string = DEFAULT_INSTANCE): InjectionToken {
  return `mississippi:${instance}:options`;
}

/**
 * The token of an instance's `Transport`: override its provider to carry the messages by another one. `undefined` is `memory()`.
 * @example Test.createTestingModule(…).overrideProvider(getMississippiTransportToken()).useValue(memory())
 * @publicApi
 */
export function getMississippiTransportToken(instance: string = DEFAULT_INSTANCE): InjectionToken {
  return `mississippi:${instance}:transport`;
}

/**
 * The token of an instance's `Store`: override its provider to keep states in another one, or with `undefined` in none.
 * @publicApi
 */
export function getMississippiStoreToken(instance: string = DEFAULT_INSTANCE): InjectionToken {
  return `mississippi:${instance}:store`;
}
