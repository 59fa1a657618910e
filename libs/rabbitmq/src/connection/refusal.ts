import { isNativeError } from 'node:util/types';
import { RabbitMqSetupError, RabbitMqUnreachableError } from '../errors/rabbitmq.errors.js';
import { reasonOf } from '../errors/reason.js';
import { ACCESS_REFUSED, codeOf, NOT_ALLOWED } from '../errors/reply-codes.js';
import type { Endpoint } from '../options/endpoint.js';

/** An attempt to connect that failed. */
export interface Failure {
  readonly endpoint: Endpoint;
  readonly error: unknown;
}

/** All that amqplib 2.3 tells of a virtual host that is not there or not permitted. */
const NO_VIRTUAL_HOST = /^Expected ConnectionOpenOk; got <ConnectionClose/;
/** What comes is no AMQP. */
const NO_FRAMES = /Frame size .*exceeds|Invalid frame|Expected ConnectionStart;|Frame on channel != 0/;
/** The other side has closed the connection before it was open. */
const CLOSED_EARLY = /closed abruptly/;
/** What comes is no TLS, in the words of OpenSSL. */
const NO_TLS = /wrong version number|packet length too long|tls_get_more_records|ssl3_get_record/i;

/** Whether trying again is pointless until somebody changes something. */
export function isRefusal(error: unknown): error is Error {
  if (!isNativeError(error)) return false;
  const code = codeOf(error);
  return (
    error instanceof RabbitMqSetupError ||
    code === ACCESS_REFUSED ||
    code === NOT_ALLOWED ||
    /ACCESS.REFUSED|NOT.ALLOWED/i.test(error.message) ||
    NO_VIRTUAL_HOST.test(error.message)
  );
}

/** The error of an app that could connect to none of its endpoints. */
export function explainFailures(failures: readonly Failure[]): RabbitMqSetupError | RabbitMqUnreachableError {
  const causes = failures.map(({ error }) => error);
  const cause = causes.length === 1 ? causes[0] : new AggregateError(causes, 'no endpoint could be connected to');
  if (failures.some(({ error }) => isRefusal(error))) {
    return new RabbitMqSetupError(failures.map(explainFailure).join(' '), { cause });
  }
  const brokers = failures.map(({ endpoint, error }) => ({ name: endpoint.name, reason: reasonAt(endpoint, error) }));
  return new RabbitMqUnreachableError(brokers, cause);
}

/** Says in a sentence or two what is wrong with one endpoint, and what to do. */
export function explainFailure({ endpoint, error }: Failure): string {
  const { name, username, virtualHost } = endpoint;
  if (error instanceof RabbitMqSetupError) return error.message;
  if (!isRefusal(error)) return `No RabbitMQ could be reached at ${name} (${reasonAt(endpoint, error)}).`;
  const reason = reasonOf(error);
  return NO_VIRTUAL_HOST.test(reason)
    ? `RabbitMQ at ${name} does not open the virtual host '${virtualHost}' for the user '${username}': check its name, and the user's permissions on it.`
    : `RabbitMQ at ${name} refuses the connection (${reason}): check username, password and virtual host, and the user's permissions.`;
}

/** Why nothing could be reached there, in a few words. */
function reasonAt({ tls }: Endpoint, error: unknown): string {
  const reason = reasonOf(error);
  if (tls && NO_TLS.test(reason)) {
    return `this port speaks no TLS: take the one that does, 5671 by default, or amqp:// without tls`;
  }
  if (NO_FRAMES.test(reason)) return `what listens there is not RabbitMQ: ${reason}`;
  if (!CLOSED_EARLY.test(reason) && codeOf(error) !== 'ECONNRESET') return reason;
  const what = `it was closed before it was open: what listens there is not RabbitMQ`;
  return tls ? what : `${what}, or it wants TLS, that is amqps:// or the option tls`;
}
