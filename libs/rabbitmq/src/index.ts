export { RabbitMqAccessError, RabbitMqSetupError, RabbitMqUnreachableError } from './errors/rabbitmq.errors.js';
export type {
  RabbitMqOptions,
  RabbitMqQueuesOptions,
  RabbitMqReconnectOptions,
  RabbitMqTlsOptions,
} from './options/rabbitmq.options.js';
export { rabbitmq, RabbitMqTransport } from './rabbitmq-transport.js';
