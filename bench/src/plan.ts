import type { ProcessPlan } from './process/measure.js';
import type { ConsumerPlan } from './rabbitmq/measure-consumer.js';
import type { LoadPlan } from './rabbitmq/measure-load.js';
import type { PublisherPlan } from './rabbitmq/measure-publisher.js';
import type { StorePlan } from './store/measure-store.js';
import type { StoredPlan } from './store/measure-stored.js';

/** What a child process is told. */
export type Plan =
  | ({ readonly case: 'process' } & ProcessPlan)
  | ({ readonly case: 'consumer' } & ConsumerPlan)
  | ({ readonly case: 'publisher' } & PublisherPlan)
  | ({ readonly case: 'load' } & LoadPlan)
  | ({ readonly case: 'store' } & StorePlan)
  | ({ readonly case: 'stored' } & StoredPlan);
