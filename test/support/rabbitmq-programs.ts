import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Name a folder with the commands of another RabbitMQ release here, and the nodes are of that release. */
export const GIVEN_BINARIES = 'MISSISSIPPI_RABBITMQ_BIN';

/** Debian's commands on the PATH switch users; the package's own scripts run as whoever calls them. */
const DEBIAN = '/usr/lib/rabbitmq/bin';

/** Whether nodes can be started here. */
export function hasRabbitMq(): boolean {
  if (folder() !== undefined) return true;
  return spawnSync('sh', ['-c', 'command -v rabbitmq-server'], { stdio: 'ignore' }).status === 0;
}

/** How a command of the release is called. */
export function program(name: string): string {
  const place = folder();
  if (place === undefined) return name;
  const path = join(place, name);
  if (existsSync(path)) return path;
  throw new Error(`There is no ${name} in ${place}: ${GIVEN_BINARIES} must name a folder with RabbitMQ's commands.`);
}

/** A release in a place of its own may bring its own Erlang, and the port mapper with it. */
export function searchPath(): string {
  const { PATH = '', [GIVEN_BINARIES]: given = '' } = process.env;
  return given === '' ? PATH : `${given}${delimiter}${PATH}`;
}

function folder(): string | undefined {
  const given = process.env[GIVEN_BINARIES];
  if (given !== undefined && given !== '') return given;
  return existsSync(DEBIAN) ? DEBIAN : undefined;
}
