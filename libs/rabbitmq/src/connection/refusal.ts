import { RabbitMqSetupError } from '../errors/rabbitmq.errors.js';
import { reasonOf } from '../errors/reason.js';
import { ACCESS_REFUSED, codeOf, NOT_ALLOWED } from '../errors/reply-codes.js';

/** All that amqplib 2.3 tells of a virtual host that is not there or not permitted. */
const NO_VIRTUAL_HOST = /^Expected ConnectionOpenOk; got <ConnectionClose/;

/** Whether trying again is pointless until somebody changes something. */
export function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return (
    code === ACCESS_REFUSED ||
    code === NOT_ALLOWED ||
    /ACCESS.REFUSED|NOT.ALLOWED/i.test(error.message) ||
    NO_VIRTUAL_HOST.test(error.message)
  );
}

/** Says what to do about a refusal by the broker of that name. */
export function explainRefusal(name: string, error: Error): RabbitMqSetupError {
  const reason = reasonOf(error);
  return new RabbitMqSetupError(
    NO_VIRTUAL_HOST.test(reason)
      ? `RabbitMQ at ${name} does not open the virtual host: check its name, and the user's permissions on it.`
      : `RabbitMQ at ${name} refuses the connection (${reason}): check username, password and virtual host, and the user's permissions.`,
  );
}
