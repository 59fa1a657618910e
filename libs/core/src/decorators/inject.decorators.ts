import { Inject } from '@nestjs/common';
import {
  getDataUpdaterServiceToken,
  getEventsProducerToken,
  getMississippiOperatorToken,
} from '../mississippi.tokens.js';

/**
 * Injects the `DataUpdaterService` of a named instance. That of the default instance is injected by its class.
 * @publicApi
 */
export const InjectDataUpdaterService = (instance?: string): PropertyDecorator & ParameterDecorator =>
  Inject(getDataUpdaterServiceToken(instance));

/**
 * Injects the `EventsProducer` of a named instance. That of the default instance is injected by its class.
 * @publicApi
 */
export const InjectEventsProducer = (instance?: string): PropertyDecorator & ParameterDecorator =>
  Inject(getEventsProducerToken(instance));

/**
 * Injects the `MississippiOperator` of a named instance. That of the default instance is injected by its class.
 * @publicApi
 */
export const InjectMississippiOperator = (instance?: string): PropertyDecorator & ParameterDecorator =>
  Inject(getMississippiOperatorToken(instance));
