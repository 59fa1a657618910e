import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How the brokers are set. `denied`: nothing that is deprecated is permitted, as later releases will have it. */
export const SETTINGS = [
  { name: 'mnesia', khepri: false, denied: false },
  { name: 'khepri', khepri: true, denied: false },
  { name: 'denied', khepri: true, denied: true },
];

/** Of plugins that the tests' nodes do not load; whoever does not know it lets it be denied. */
const OF_PLUGINS = ['management_metrics_collection'];

/** What a release has. */
export async function featuresOf(start) {
  return onNode(start, async (node) => {
    const names = async (command) =>
      (await node.ask(command, '--silent', '--no-table-headers', 'name')).split('\n').map((line) => line.trim());
    return { flags: await names('list_feature_flags'), deprecated: await names('list_deprecated_features') };
  });
}

/**
 * RabbitMQ's own variables, by which every node has the setting from its first boot on.
 * @param folder gets what they name
 */
export function variablesOf({ name, khepri, denied }, { flags, deprecated }, folder) {
  const place = join(folder, name);
  mkdirSync(place);
  const lines = [...deprecated, ...OF_PLUGINS].map((feature) => `deprecated_features.permit.${feature} = false\n`);
  if (denied) writeFileSync(join(place, 'denied.conf'), lines.join(''));
  return {
    // Those that are not named stay disabled.
    RABBITMQ_FEATURE_FLAGS: flags.filter((flag) => khepri || flag !== 'khepri_db').join(','),
    RABBITMQ_CONFIG_FILES: place,
  };
}

/** @throws when a node does not have the setting */
export async function verify({ name, khepri, denied }, { deprecated }, start) {
  // A deprecated feature that is denied is a feature flag that is enabled.
  const permitted = `[Name || Name <- [${denied ? deprecated.join(',') : ''}], not rabbit_feature_flags:is_enabled(Name)]`;
  const question = `{rabbit_feature_flags:is_enabled(khepri_db), ${permitted}}.`;
  const answer = await onNode(start, (node) => node.ask('eval', question));
  if (answer !== `{${khepri},[]}`)
    throw new Error(`no node has the setting '${name}': Khepri, and what it permits, are ${answer}`);
}

async function onNode(start, work) {
  const node = await start();
  try {
    return await work(node);
  } finally {
    await node.stop();
  }
}
