import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hasRabbitMq } from '#support/rabbitmq-programs.js';
import type { BrokerNode, NodeHandle } from './rabbitmq-node.js';

/** Give the url of a broker here and the tests use it instead of starting one. */
export const GIVEN_URL = 'MISSISSIPPI_AMQP_URL';
/** Where the setup hands the broker on to the specs. */
export const SHARED_URL = 'MISSISSIPPI_TEST_AMQP_URL';
const SHARED_NODE = 'MISSISSIPPI_TEST_NODE';

export type ServerKind = 'installed' | 'container';

/** How the kinds of servers are started. */
export interface Starters {
  readonly installed: () => Promise<BrokerNode & { readonly handle: NodeHandle }>;
  readonly container: () => Promise<BrokerNode>;
}

/** The broker that all specs share, each under queue names of its own. */
export function sharedUrl(): string {
  const url = process.env[SHARED_URL];
  if (url === undefined) throw new Error('There is no broker: run these tests with jest --selectProjects rabbitmq.');
  return url;
}

/** How to command the shared broker; `undefined` where it is none of ours. */
export function sharedHandle(): NodeHandle | undefined {
  const text = process.env[SHARED_NODE];
  return text === undefined ? undefined : (JSON.parse(text) as NodeHandle);
}

/** Brings up the shared broker. Returns what ends it. */
export async function bringUp(start: Starters, say: (line: string) => void): Promise<BrokerNode | undefined> {
  const given = process.env[GIVEN_URL];
  if (given !== undefined && given !== '') {
    process.env[SHARED_URL] = given;
    return undefined;
  }
  const kind = findServer() ?? install(say);
  if (kind === 'container') {
    const broker = await start.container();
    process.env[SHARED_URL] = broker.url;
    return broker;
  }
  const broker = await start.installed();
  process.env[SHARED_URL] = broker.url;
  process.env[SHARED_NODE] = JSON.stringify(broker.handle);
  return broker;
}

/** What a broker can be started with here. */
export function findServer(): ServerKind | undefined {
  if (hasRabbitMq()) return 'installed';
  return succeeds('docker', 'info') ? 'container' : undefined;
}

export const HOW_TO_GET_ONE =
  `install RabbitMQ (apt-get install rabbitmq-server, brew install rabbitmq), start Docker, ` +
  `or give the url of a broker in ${GIVEN_URL}`;

function install(say: (line: string) => void): ServerKind {
  if (!canAptInstall()) {
    throw new Error(`These tests need a RabbitMQ, and there is none: ${HOW_TO_GET_ONE}.`);
  }
  say('Installing rabbitmq-server with apt-get for the tests; its system service is not started.');
  aptInstall('rabbitmq-server', HOW_TO_GET_ONE);
  return 'installed';
}

/** Whether this process may install packages here. */
export function canAptInstall(): boolean {
  return process.getuid?.() === 0 && isDebian();
}

/**
 * Installs a package without starting its service.
 * @param how else one gets what it has, for the error
 */
export function aptInstall(name: string, how: string): void {
  const policy = '/usr/sbin/policy-rc.d';
  const own = !existsSync(policy);
  if (own) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    aptGet(how, 'update');
    aptGet(how, 'install', '-y', '--no-install-recommends', name);
  } finally {
    if (own) rmSync(policy);
  }
}

function aptGet(how: string, ...args: string[]): void {
  const result = spawnSync('apt-get', ['-q', ...args], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (result.status === 0) return;
  const output = `${result.stdout}${result.stderr}`.split('\n').slice(-20).join('\n');
  throw new Error(`apt-get ${args.join(' ')} failed; ${how}.\n${output}`);
}

function isDebian(): boolean {
  const file = '/etc/os-release';
  return existsSync(file) && /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync(file, 'utf8'));
}

/** Whether a program is there and ends well. */
export function succeeds(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
