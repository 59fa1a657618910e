export { RabbitMqSetupError, RabbitMqUnreachableError } from './errors/rabbitmq.errors.js';
export type { QueuesOptions, RabbitMqOptions, RabbitMqTlsOptions, ReconnectOptions } from './options/rabbitmq.options.js';
export { rabbitmq, RabbitMqTransport } from './rabbitmq-transport.js';
export { DROPPED_HEADER, KEY_HEADER, PARKED_HEADER } from './wire/header-names.js';
