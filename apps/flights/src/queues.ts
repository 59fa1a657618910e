import type { Transport } from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';

/** How many queues carry the flights. The broker remembers it and refuses another number. */
export const SHARDS = 128;

/** Whose the queues are, whether trouble is planted or not. As the library would call it without. */
const APPLICATION = 'default/AirportHandler';

/** The transport that carries flights through RabbitMQ. */
export function queues(url: string, prefix: string): Transport {
  return rabbitmq({ urls: [url], application: APPLICATION, queues: { prefix, totalCount: SHARDS } });
}
