import type { Clock } from '@mississippi/core/transport';
import type { ChannelModel } from 'amqplib';
import { openModel } from '../connection/client.js';
import { explainFailures, type Failure } from '../connection/refusal.js';
import type { Endpoint } from '../options/endpoint.js';
import type { Settings } from '../options/settings.js';

/** A connection, and to which broker it is. */
export interface Connected {
  readonly model: ChannelModel;
  readonly endpoint: Endpoint;
}

/**
 * Connects to the first of the endpoints that answers. It does not come back by itself.
 * @throws {RabbitMqUnreachableError} where none answers
 * @throws {RabbitMqSetupError} where a broker refuses the user or the virtual host
 */
export async function connectOnce(settings: Settings, purpose: string, clock: Clock): Promise<Connected> {
  const failures: Failure[] = [];
  for (const endpoint of settings.endpoints) {
    try {
      return { model: await openModel(endpoint, settings, purpose, clock, new AbortController().signal), endpoint };
    } catch (error) {
      failures.push({ endpoint, error });
    }
  }
  throw explainFailures(failures);
}
