import type { Transport } from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';

/** How many queues carry the flights. The broker remembers it and refuses another number. */
export const SHARDS = 128;

/** The transport that carries flights through RabbitMQ. */
export function queues(url: string, prefix: string): Transport {
  return rabbitmq({ urls: [url], queues: { prefix, totalCount: SHARDS } });
}
