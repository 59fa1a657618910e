import { RabbitMqAccessError } from '../errors/rabbitmq.errors.js';
import { reasonOf } from '../errors/reason.js';
import { ACCESS_REFUSED, codeOf } from '../errors/reply-codes.js';
import type { Settings } from '../options/settings.js';

/** What a user may be allowed to do with a queue or an exchange. */
export type Right = RabbitMqAccessError['right'];

/** How RabbitMQ says that a right is wanting; which, only from 3.13 on. */
const REFUSED = /(?:(configure|read|write) )?access to (\w+) '(.*?)' in vhost '(.*?)' refused for user '(.*?)'/;

/** What users need, as patterns of `rabbitmqctl set_permissions`. Producers need the same. */
export function neededRights({ prefix, exchange }: Pick<Settings, 'prefix' | 'exchange'>): Record<Right, string> {
  const names = [prefix, ...(exchange === '' ? [] : [exchange])].map(escaped);
  const pattern = (all: readonly string[]): string => (all.length === 1 ? `^${all[0]!}` : `^(${all.join('|')})`);
  // To write to a queue is needed to bind it.
  const written = exchange === '' ? [] : names;
  return { configure: pattern(names), write: pattern([...written, 'amq\\.default']), read: pattern(names) };
}

/** The promise's own outcome; where the broker refuses because the user lacks the right, an error that says what to grant. */
export async function needing<T>(right: Right, settings: Settings, work: PromiseLike<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw explainRight(right, settings, error) ?? error;
  }
}

/** Binding needs two rights: to write to the queue, and to read from the exchange. */
export function needingToBind<T>(settings: Settings, work: PromiseLike<T>): Promise<T> {
  return needingBoth({ queue: 'write', exchange: 'read' }, settings, work);
}

/** So does the declaration of a queue with a dead-letter exchange: to read from the queue, and to write to the exchange. */
export function needingToForward<T>(settings: Settings, work: PromiseLike<T>): Promise<T> {
  return needingBoth({ queue: 'read', exchange: 'write' }, settings, work);
}

async function needingBoth<T>(
  rights: { readonly queue: Right; readonly exchange: Right },
  settings: Settings,
  work: PromiseLike<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const right = REFUSED.exec(reasonOf(error))?.[2] === 'exchange' ? rights.exchange : rights.queue;
    throw explainRight(right, settings, error) ?? error;
  }
}

/** What an error means that says that a right is wanting; `undefined` for others. */
export function explainRight(asked: Right, settings: Settings, error: unknown): RabbitMqAccessError | undefined {
  const [, told, kind, name, vhost, user] =
    codeOf(error) === ACCESS_REFUSED ? (REFUSED.exec(reasonOf(error)) ?? []) : [];
  if (kind === undefined) return undefined;
  const right = (told as Right | undefined) ?? asked;
  const { configure, write, read } = neededRights(settings);
  const patterns = { configure, write, read };
  return new RabbitMqAccessError(
    right,
    `${kind} '${name!}'`,
    `The user '${user!}' lacks the right '${right}' on the ${kind} '${name!}' in the virtual host '${vhost!}': grant '${patterns[right]}', by ` +
      `rabbitmqctl set_permissions --vhost '${vhost!}' '${user!}' '${configure}' '${write}' '${read}'.`,
    error,
  );
}

/** A text as the part of a pattern that matches it alone. */
function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
