import type { Destination } from '@mississippi/core/telemetry';
import type { Attributes } from '@opentelemetry/api';
import {
  MESSAGING_DESTINATION_TEMPLATE,
  MESSAGING_SYSTEM_NAME,
  SERVER_ADDRESS,
  SERVER_PORT,
} from './semantic-conventions.js';

/** What all operations of an instance have in common: the shards under one name, not under 128. */
export function destinationAttributes({ system, template, server }: Destination): Attributes {
  return {
    [MESSAGING_SYSTEM_NAME]: system,
    [MESSAGING_DESTINATION_TEMPLATE]: template,
    ...(server === undefined ? {} : { [SERVER_ADDRESS]: server.address, [SERVER_PORT]: server.port }),
  };
}
