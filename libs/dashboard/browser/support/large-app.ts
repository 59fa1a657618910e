import type { AddressInfo } from 'node:net';
import {
  type AuditEntry,
  type DeadLetterReport,
  DeadLettersBusyError,
  type KeyReport,
  type KeyTrouble,
  MississippiOperator,
  type ShardReport,
  type StateReport,
} from '@mississippi/core';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MississippiDashboardModule } from '../../src/index.js';

const SHARDS = 128;
const PROCESSES = 50;
const KEYS = 100_000;
const MARKUP = '<img src=x onerror=window.pwned=1>';
const TROUBLES: readonly KeyTrouble[] = [
  'hanging',
  'failing',
  'startFailing',
  'parked',
  'pressure',
  'storeAway',
  'deadLetterRefused',
  'sideQueueFull',
];

/** A page of an app of 50 processes with 100,000 keys, every kind of trouble among them. */
export async function openLarge(): Promise<{ app: INestApplication; url: string }> {
  const lines: string[] = [];
  const take = (message: unknown): void => void lines.push(String(message));
  const app = await NestFactory.create(LargeModule, { logger: { log: take, warn: take, error: take } });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { app, url: `http://127.0.0.1:${port}/mississippi${lines.join('\n').match(/#token=[\w-]+/)![0]}` };
}

const processOf = (index: number): string =>
  `default@worker-${String(index).padStart(2, '0')}.eu-west.example:4711:${index}`;

function shardReport(shard: number): ShardReport {
  const nobody = shard === 77;
  const owned = {
    epoch: 3,
    keys: KEYS / SHARDS,
    inFlight: (shard * 37) % 300,
    parked: shard % 16 === 0 ? shard * 3 : 0,
    stalled: shard === 96,
    rate: (shard * 53) % 400,
    oldest: shard % 5 === 0 ? undefined : (shard * 7_919) % 600_000,
    troubles: shard % 8 === 0 ? { [TROUBLES[(shard / 8) % TROUBLES.length]!]: shard } : {},
    times: [
      [4, 800],
      [32, 190],
      [512, 10],
    ] as const,
    busiest: [{ key: `device-${shard}`, text: `"device-${shard}"`, finished: (shard * 53) % 60 }],
  };
  const backlog = shard % 11 === 0 ? shard ** 3 : shard;
  return {
    shard,
    process: nobody ? undefined : processOf(shard % PROCESSES),
    backlog,
    owned: nobody ? undefined : owned,
  };
}

function keyReport(index: number): KeyReport {
  const trouble = TROUBLES[index % TROUBLES.length]!;
  return {
    key: `a-customer-with-a-long-name-${index}/device-${index}`,
    text: `"a-customer-with-a-long-name-${index}/device-${index}"`,
    shard: index % SHARDS,
    process: processOf(index % PROCESSES),
    state: trouble === 'parked' ? 'parked' : 'backoff',
    trouble,
    queued: index,
    parked: trouble === 'parked' ? 1_200_000 : 0,
    parkedState: trouble === 'parked' ? 'held' : undefined,
    parkReason: undefined,
    attempt: 3,
    error: "TypeError: Cannot read properties of undefined (reading 'temperature') ".repeat(3),
    head: { messageId: `message-${index}`, type: 'reading' },
    waiting: 86_400_000 / (index + 1),
    callback: undefined,
  };
}

function letterReport(index: number): DeadLetterReport {
  return {
    id: `letter-${index}`,
    key: `device-${index}`,
    text: `"device-${index}"`,
    messageId: `message-${index}-${'0123456789abcdef'.repeat(2)}`,
    type: 'reading',
    reason: ['attempts_exhausted', 'discarded', 'payload_invalid'][index % 3]!,
    error: 'TypeError: Cannot read properties of undefined',
    attempts: 5,
    failedAt: new Date(1_764_000_000_000 + index),
    replays: 0,
    size: 512,
  };
}

const STATE: StateReport = {
  state: { card: MARKUP, readings: Array.from({ length: 40 }, (_, index) => 'x'.repeat(index * 5)) },
  redacted: false,
  problem: undefined,
  version: 123_456,
  changedAt: new Date(1_764_000_000_000),
  form: 1,
  bytes: undefined,
  size: 2_048,
};

function auditEntry(action: AuditEntry['action'], version: number): AuditEntry {
  return {
    id: String(version),
    at: new Date(1_764_000_000_000 + version),
    key: 'k',
    text: '"k"',
    action,
    by: MARKUP,
    reason: `${MARKUP}${'of-a-reason-without-spaces'.repeat(10)}`,
    process: processOf(7),
    versionBefore: version,
    versionAfter: action === 'edited' ? version + 1 : 0,
    previous: STATE.state,
    problem: undefined,
    previousBytes: undefined,
  };
}

type Asked =
  'audit' | 'deadLetter' | 'deadLetters' | 'keys' | 'pausedTypes' | 'processes' | 'replay' | 'shards' | 'watch';

const operator: Pick<MississippiOperator, Asked> & { state(): Promise<StateReport> } = {
  processes: async () =>
    Array.from({ length: PROCESSES }, (_, index) => ({
      name: processOf(index),
      shards: Array.from({ length: SHARDS }, (_unused, shard) => shard).filter((shard) => shard % PROCESSES === index),
      self: index === 7,
      intake: index === 9 ? 'paused' : 'open',
    })),
  shards: async () => Array.from({ length: SHARDS }, (_, shard) => shardReport(shard)),
  keys: async (options) => ({
    keys: Array.from({ length: options?.limit ?? 1_000 }, (_, index) => keyReport(index)),
    more: KEYS - (options?.limit ?? 1_000),
    unanswered: [{ shard: 77, reason: 'no process owned it' }],
  }),
  pausedTypes: async () => ['reading', '<b>of a strange name</b>'],
  watch: async () => ({
    report: keyReport(3),
    stack: 'Error\n'.padEnd(2_000, '    at handle (/app/dist/a/very/long/path.js:1:1)\n'),
    events: [],
  }),
  state: async () => STATE,
  audit: async () => ({ entries: [auditEntry('edited', 2), auditEntry('forgotten', 1)], more: true }),
  deadLetter: async (id) => ({
    ...letterReport(0),
    id,
    payload: MARKUP,
    body: undefined,
    headers: {},
    properties: {},
    timestamp: undefined,
    stack: undefined,
  }),
  replay: async () => {
    throw new DeadLettersBusyError();
  },
  deadLetters: async (options) => ({
    letters: Array.from({ length: options?.limit ?? 1_000 }, (_, index) => letterReport(index)),
    more: true,
    total: 100_000,
  }),
};

@Module({
  imports: [MississippiDashboardModule.forRoot({ actions: true })],
  providers: [{ provide: MississippiOperator, useValue: operator }],
})
class LargeModule {}
