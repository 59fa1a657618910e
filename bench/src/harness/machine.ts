import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

/** What the figures belong to. Nothing that names the host. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly system: string;
}

export type Versions = Readonly<Record<string, string>>;

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    system: system(),
  };
}

function system(): string {
  try {
    const name = /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
    return name ?? process.platform;
  } catch {
    return process.platform; // Not every system has the file.
  }
}

const PACKAGES = [
  '@mississippi/core',
  '@nestjs/core',
  '@nestjs/microservices',
  'amqp-connection-manager',
  'amqplib',
  'async-mutex',
  'fastq',
  'p-queue',
  'rxjs',
];

export function versions(): Versions {
  const require = createRequire(import.meta.url);
  const found = PACKAGES.map((name) => [name, versionOf(require, name)] as const);
  const golevelup = createRequire(require.resolve('bench-golevelup'));
  return {
    node: process.versions.node,
    ...Object.fromEntries(found),
    '@golevelup/nestjs-rabbitmq': versionOf(golevelup, '@golevelup/nestjs-rabbitmq'),
    'its @nestjs/core': versionOf(golevelup, '@nestjs/core'),
    'its amqplib': versionOf(golevelup, 'amqplib'),
  };
}

/** Of what only the comparisons with a store use. */
export function storeVersions(): Versions {
  const require = createRequire(import.meta.url);
  const queues = createRequire(require.resolve('bench-queues'));
  return {
    pg: versionOf(require, 'pg'),
    'pg-boss': versionOf(queues, 'pg-boss'),
    groupmq: versionOf(queues, 'groupmq'),
    ioredis: versionOf(queues, 'ioredis'),
  };
}

/** The manifest of a package, whether it exports it or not. */
export function versionOf(require: NodeJS.Require, name: string): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return (JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) as { version: string }).version;
    } catch {
      // It is in a folder further up.
    }
  }
  throw new Error(`The package ${name} is not installed: run npm ci.`);
}
