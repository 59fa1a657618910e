import { RabbitMqSetupError } from '../errors/rabbitmq.errors.js';
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

/** What to do when any other queue, or the exchange, is declared otherwise (406). */
export function explainArguments(settings: Settings, error: unknown): RabbitMqSetupError {
  return new RabbitMqSetupError(argumentsText(settings, reasonOf(error)));
}

function argumentsText({ prefix, quorum, exchange }: Settings, reason: string): string {
  if (reason.includes(' for exchange ')) {
    return `The exchange '${exchange}' exists, but is not direct and durable (${reason}): choose another exchange, or delete it.`;
  }
  if (!TYPE_ARGUMENTS.test(reason)) {
    return `A queue of '${prefix}*' exists with other arguments (${reason}): delete it, or choose another queues.prefix.`;
  }
  const [asked, found] = quorum ? ['quorum', 'classic'] : ['classic', 'quorum'];
  return `The queues '${prefix}*' are ${found} in the broker, but this app asks for ${asked}: set queues.type to '${found}', or choose another queues.prefix.`;
}
