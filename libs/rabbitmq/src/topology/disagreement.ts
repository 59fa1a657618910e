import { RabbitMqSetupError, SharedQueueError } from '../errors/rabbitmq.errors.js';
import { reasonOf } from '../errors/reason.js';
import type { Settings } from '../options/settings.js';

/** The hash behind the shards, as it is remembered in the broker. */
const HASH = 'phash2';

/** What only the queues of one type have. */
const TYPE_ARGUMENTS = /'x-(queue-type|delivery-limit|single-active-consumer)'/;

/** Shard count and hash, as the meta queue carries them. */
export function metaOf({ totalCount }: Settings): string {
  return `v1;${totalCount};${HASH}`;
}

/** The application, as its queue carries it. */
export function applicationOf({ application }: Settings): string {
  return `v1;${application}`;
}

/** What to do when the queues are another application's (406). */
export function explainApplication(settings: Settings, queue: string, error: unknown): RabbitMqSetupError {
  const reason = reasonOf(error);
  if (TYPE_ARGUMENTS.test(reason)) return explainArguments(settings, error);
  // The broker cuts its text at 255 bytes.
  return otherApplication(settings, / but current is '?v1;(.*?)'?"?$/.exec(reason)?.[1], queue);
}

/** What to do when the queues are another application's, of that name. */
export function otherApplication(settings: Settings, other: string | undefined, queue: string): RabbitMqSetupError {
  const { prefix, application } = settings;
  const owner = other === undefined ? 'another application' : `the application '${other}'`;
  return new RabbitMqSetupError(
    `The queues '${prefix}*' belong to ${owner} in the broker, but this is '${application}', and each would take the other's messages: ` +
      `choose another queues.prefix. If it is the same application under another name, set application to ${other === undefined ? 'its old name' : `'${other}'`}; ` +
      `to take over what it left behind, end its processes and delete the queue '${queue}'.`,
  );
}

/** What to do when a process lives that has another number of shards. */
export function otherCount({ prefix, totalCount }: Settings, name: string, count: number): RabbitMqSetupError {
  return new RabbitMqSetupError(
    `The queues '${prefix}*' have ${count} shards for the process '${name}', but this app asks for ${totalCount}: ` +
      `set queues.totalCount to ${count}, or choose another queues.prefix. A key would otherwise change its shard and lose its order.`,
  );
}

/** What to do when the meta queue is declared otherwise (406): the broker names what it has and what was asked for. */
export function explainMeta(settings: Settings, meta: string, error: unknown): RabbitMqSetupError {
  const reason = reasonOf(error);
  if (TYPE_ARGUMENTS.test(reason)) return explainArguments(settings, error);
  const { prefix, totalCount } = settings;
  const [, count, hash] = /current is '?v1;(\d+);([^']*)'?/.exec(reason) ?? [];
  if (count === undefined) {
    return new RabbitMqSetupError(
      `The queue '${meta}' was declared by somebody else (${reason}): choose another queues.prefix.`,
    );
  }
  return new RabbitMqSetupError(
    `The queues '${prefix}*' have ${count} shards by ${hash} in the broker, but this app asks for ${totalCount} by ${HASH}: ` +
      `${hash === HASH ? `set queues.totalCount to ${count}, or ` : ''}choose another queues.prefix. ` +
      `A key would otherwise change its shard and lose its order.`,
  );
}

/** What to do when there are no queues, and this process makes none. */
export function explainNothing({ prefix }: Settings, meta: string): RabbitMqSetupError {
  return new RabbitMqSetupError(
    `No app has made queues '${prefix}*' here (there is no '${meta}'), and queues.declare is false: correct queues.prefix or the url's virtual host, or start an app that consumes first.`,
  );
}

/** What to do when any other queue, or the exchange, is declared otherwise (406). */
export function explainArguments(settings: Settings, error: unknown): RabbitMqSetupError {
  return new RabbitMqSetupError(argumentsText(settings, reasonOf(error)));
}

/**
 * Why the broker has ended a consumer. It does not say: on a quorum queue from RabbitMQ 4.3 on it may also have waited too long
 * for an ack, and the queue is still there.
 */
export function cancelledBy(queue: string): Error {
  return new Error(
    `RabbitMQ ended the consumer of the queue '${queue}': it was deleted, or an ack took longer than its consumer_timeout`,
  );
}

/** What to do about a shard's queue that lets several processes consume at once, though each asked to be the only one. */
export function explainShared(queue: string): SharedQueueError {
  return new SharedQueueError(
    `RabbitMQ lets several consumers share the queue '${queue}', though an exclusive one was asked for, as quorum queues and streams do: ` +
      `messages would be handled out of order. Delete the queue, or choose another queues.prefix; it is then declared as a classic queue.`,
  );
}

function argumentsText({ prefix, quorum, exchange }: Settings, reason: string): string {
  if (reason.includes(' for exchange ')) {
    return `The exchange '${exchange}' exists, but is not direct and durable (${reason}): choose another exchange, or delete it.`;
  }
  if (!TYPE_ARGUMENTS.test(reason)) {
    return `A queue of '${prefix}*' exists with other arguments (${reason}): delete it, or choose another queues.prefix.`;
  }
  const [asked, found] = quorum ? ['quorum', 'classic'] : ['classic', 'quorum'];
  // Both are quorum; what only this library gives is missing.
  if (quorum && !reason.includes("'x-queue-type'")) {
    return `The queues '${prefix}*' are quorum queues that somebody else declared, or the virtual host's default queue type made (${reason}): delete them, or choose another queues.prefix.`;
  }
  return `The queues '${prefix}*' are ${found} in the broker, but this app asks for ${asked}: set queues.type to '${found}', or choose another queues.prefix.`;
}
