/**
 * What tools need that look at a broker and change nothing: which queues an app has made, and what is wrong with them. Apps need
 * nothing of it: `@publicApi` means here that writers of tools may touch it.
 */
export type { BrokerFacts } from './broker-facts.js';
export { BrokerInspection } from './broker-inspection.js';
export type { FoundQueues, MissingRight, QueueDifference, QueueFacts, ShardQueues } from './found-queues.js';
