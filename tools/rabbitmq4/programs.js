import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { programsOfRoot } from './root.js';

const GIVEN = 'MISSISSIPPI_RABBITMQ_BIN';

/** Debian's commands on the PATH switch users. */
const DEBIAN = '/usr/lib/rabbitmq/bin';

/**
 * The release of a RabbitMQ 4 that the tests' nodes are of from now on: the one that is given, or is installed, or is made.
 * @throws when there is none, and says what is needed
 */
export function chooseRelease() {
  const given = process.env[GIVEN];
  if (given) return checked(given);
  const installed = releaseOf(existsSync(DEBIAN) ? DEBIAN : '');
  if (isRecent(installed)) return installed;
  process.env[GIVEN] = programsOfRoot();
  return checked(process.env[GIVEN]);
}

function checked(folder) {
  const release = releaseOf(folder);
  if (isRecent(release)) return release;
  throw new Error(
    `${GIVEN} must name the folder of a RabbitMQ 4, but ${folder} has ${release ?? 'no rabbitmqctl that works'}.`,
  );
}

function releaseOf(folder) {
  const { status, stdout } = spawnSync(join(folder, 'rabbitmqctl'), ['version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

function isRecent(release) {
  return release !== undefined && Number(release.split('.')[0]) >= 4;
}
