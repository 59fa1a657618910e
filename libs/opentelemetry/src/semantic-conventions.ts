/**
 * Names of the OpenTelemetry semantic conventions, as version 1.45.0 has them. Those for messaging are in development and not among
 * the stable exports of `@opentelemetry/semantic-conventions`, which says to copy what one needs of them.
 */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.45.0';

export const ERROR_TYPE = 'error.type';
export const SERVER_ADDRESS = 'server.address';
export const SERVER_PORT = 'server.port';
export const MESSAGING_SYSTEM_NAME = 'messaging.system.name';
export const MESSAGING_OPERATION_NAME = 'messaging.operation.name';
export const MESSAGING_OPERATION_TYPE = 'messaging.operation.type';
export const MESSAGING_DESTINATION_NAME = 'messaging.destination.name';
export const MESSAGING_DESTINATION_TEMPLATE = 'messaging.destination.template';
export const MESSAGING_DESTINATION_PARTITION_ID = 'messaging.destination.partition.id';
export const MESSAGING_MESSAGE_ID = 'messaging.message.id';
export const MESSAGING_MESSAGE_CONVERSATION_ID = 'messaging.message.conversation_id';

/** For errors without a class. */
export const ERROR_TYPE_OTHER = '_OTHER';

export const METRIC_OPERATION_DURATION = 'messaging.client.operation.duration';
export const METRIC_SENT_MESSAGES = 'messaging.client.sent.messages';
export const METRIC_CONSUMED_MESSAGES = 'messaging.client.consumed.messages';
export const METRIC_PROCESS_DURATION = 'messaging.process.duration';

/** Bounds of the buckets that the conventions ask of both durations. Seconds. */
export const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
