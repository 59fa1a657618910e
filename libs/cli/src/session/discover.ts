import { BrokerInspection, type FoundQueues } from '@mississippi/rabbitmq/inspection';
import { NotFoundError } from '../errors.js';
import { otherPrefixes } from '../management/management.js';
import type { Settings } from '../settings/settings.js';

/** What the connection is called in the broker's list. */
export const PURPOSE = 'mississippi cli looks';

/**
 * What an app has made under the prefix, found without making anything.
 * @throws {NotFoundError} when there is nothing
 */
export async function discover(inspection: BrokerInspection, settings: Settings): Promise<FoundQueues> {
  const { prefix } = settings;
  const found = await inspection.find(prefix);
  if (found !== undefined) return found;
  const { name, virtualHost } = inspection.broker;
  const others = await otherPrefixes(settings, virtualHost).catch(() => []);
  const hint =
    others.length === 0 ? '' : ` There are queues of the prefixes ${others.map((other) => `'${other}'`).join(', ')}.`;
  throw new NotFoundError(
    `There are no queues '${prefix}*' at ${name} in the virtual host '${virtualHost}', and none was made.${hint} ` +
      `Correct --prefix (or --instance), the virtual host in the url, or the url.`,
  );
}
