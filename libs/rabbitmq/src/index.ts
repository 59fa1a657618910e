export { RabbitMqSetupError, RabbitMqUnreachableError } from './errors.js';
export { DROPPED_HEADER, KEY_HEADER } from './headers.js';
export type { QueuesOptions, RabbitMqOptions, RabbitMqTlsOptions, ReconnectOptions } from './rabbitmq.options.js';
export { rabbitmq, RabbitMqTransport } from './rabbitmq-transport.js';
export { PARKED_HEADER } from './shard-session.js';
