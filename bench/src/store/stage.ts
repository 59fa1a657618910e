import { PostgresServer } from '#support/postgres-server.js';
import { encodeTerm } from '@mississippi/terms';
import { postgresDdl } from '@mississippi/postgres';
import { Client } from 'pg';
import { parentPid } from '../harness/cpu-clock.js';
import { type Measurement, rateOf } from '../harness/measurement.js';
import { storeVersions } from '../harness/machine.js';
import { runChild } from '../harness/run-child.js';
import { keyName, SHARDS } from '../process/keys.js';
import type { BenchBroker } from '../rabbitmq/bench-broker.js';
import { PREFETCH } from '../rabbitmq/queues.js';
import { bareTables } from './bare-writes.js';
import type { StorePlan } from './measure-store.js';
import { APPS, type ProgramName } from './programs.js';
import type { QueueName } from './queue-programs.js';
import { RedisServer } from './redis-server.js';

export type StoreRun = Pick<StorePlan, 'keys' | 'messages' | 'unmeasured' | 'prefetch'>;

/** Schemas of the library, of those who write by hand, and of pg-boss. */
const OURS = 'bench';
const BARE = 'bench_bare';
const SCHEMAS = [OURS, BARE, `${BARE}_boss`];

const KEYS = 10_000;

/** How long messages are published evenly, and how many seconds of it are not measured. */
const LOAD_SECONDS = 8;
const UNMEASURED_SECONDS = 2;
const CALIBRATION = 2_000;

/** A PostgreSQL and a Redis of our own beside the broker, all on one machine. */
export class StoreStage {
  private rate: Promise<number> | undefined;
  /** Started when it is first used: only one of the queues needs it. */
  private redis: Promise<RedisServer> | undefined;
  private readonly stored = new Map<number, Promise<string>>();

  private constructor(
    private readonly broker: BenchBroker,
    private readonly server: PostgresServer,
    private readonly client: Client,
    private readonly postmaster: number,
    readonly versions: Record<string, string>,
  ) {}

  static async start(broker: BenchBroker): Promise<StoreStage> {
    const server = await PostgresServer.start();
    const client = new Client(server.url);
    await client.connect();
    const { rows } = await client.query<{ pid: number; version: string }>(
      `SELECT pg_backend_pid() AS pid, current_setting('server_version') AS version`,
    );
    const { pid, version } = rows[0]!;
    const versions = { ...storeVersions(), postgres: version };
    return new StoreStage(broker, server, client, parentPid(pid) ?? 0, versions);
  }

  async stop(): Promise<void> {
    await this.client.end();
    await this.server.stop();
    await (await this.redis)?.stop();
  }

  /** Fills the queues, then lets a program empty them. */
  async consume(program: ProgramName, run: StoreRun): Promise<Measurement> {
    const { keys, messages, prefetch } = run;
    await this.reset(keys);
    // As much is to be delivered at the end of the run as at its beginning.
    const prefix = await this.broker.filled(keys, messages + Math.min(keys, SHARDS) * prefetch);
    return runChild(this.plan(program, prefix, { ...run, look: 'rate' }));
  }

  /** The same from a queue in the database or in Redis, which the program fills before. */
  async work(program: QueueName, run: StoreRun): Promise<Measurement> {
    await this.reset(run.keys);
    const plan = this.plan(program, '', { ...run, look: 'rate' });
    const { database } = plan.parties;
    if (program !== 'groupmq') return runChild({ ...plan, parties: { database } });
    const { url, pid } = await (this.redis ??= this.startRedis());
    return runChild({ ...plan, redis: url, parties: { broker: pid, database } });
  }

  /** Publishes evenly while a program runs, at half of what a bare one carries. */
  async latency(program: ProgramName): Promise<Measurement> {
    const rate = await (this.rate ??= this.findRate());
    await this.reset(KEYS);
    const prefix = await this.broker.filled(KEYS, 0);
    const messages = Math.round(rate * LOAD_SECONDS);
    const unmeasured = Math.round(rate * UNMEASURED_SECONDS);
    let load: Promise<Measurement> | undefined;
    const plan = this.plan(program, prefix, { keys: KEYS, messages, unmeasured, prefetch: PREFETCH, look: 'latency' });
    const measured = await runChild(plan, () => {
      load = runChild({ case: 'load', url: this.broker.url, prefix, wording: 'plain', keys: KEYS, messages, rate });
    });
    await load;
    return measured;
  }

  /** Starts the library where so many states are stored. */
  async startBeside(stored: number, idle: number): Promise<Measurement> {
    const made = this.stored.get(stored) ?? this.store(stored);
    this.stored.set(stored, made);
    const schema = await made;
    await this.client.query('CHECKPOINT');
    const prefix = await this.broker.filled(1, 1);
    const { url } = this.broker;
    const parties = { broker: this.broker.pid, database: this.postmaster };
    return runChild({
      case: 'stored',
      url,
      prefix,
      database: this.server.url,
      schema,
      prefetch: PREFETCH,
      parties,
      idle,
    });
  }

  private async startRedis(): Promise<RedisServer> {
    const server = await RedisServer.start();
    this.versions.redis = server.version;
    return server;
  }

  private plan(program: StorePlan['program'], prefix: string, rest: StoreRun & Pick<StorePlan, 'look'>) {
    const parties = { broker: this.broker.pid, database: this.postmaster };
    const setup = {
      url: this.broker.url,
      prefix,
      database: this.server.url,
      schema: Object.hasOwn(APPS, program) ? OURS : BARE,
      readings: BARE,
    };
    return { case: 'store', program, ...setup, parties, ...rest } as const;
  }

  /** Nobody finds what another has left, nor pages that the server has yet to write for him. */
  private async reset(keys: number): Promise<void> {
    // A process that has ended may have left a session that has not heard of it, and holds locks.
    await this.client.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    for (const schema of SCHEMAS) await this.client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await this.client.query(bareTables(BARE, keys));
    await this.client.query('VACUUM ANALYZE');
    await this.client.query('CHECKPOINT');
  }

  private async findRate(): Promise<number> {
    const run = { keys: KEYS, messages: CALIBRATION * 2, unmeasured: CALIBRATION, prefetch: PREFETCH };
    return Math.round(rateOf(await this.consume('bare', run)) / 2);
  }

  private async store(stored: number): Promise<string> {
    const schema = `bench_keys_${stored}`;
    await this.client.query(postgresDdl({ schema }));
    const start = Buffer.from(encodeTerm(keyName(0))).subarray(0, -keyName(0).length);
    const state = JSON.stringify({ count: 1, last: { sequence: 1, sent: 0, note: 'x'.repeat(90) } });
    await this.client.query(
      `INSERT INTO ${schema}.states (instance, key, version, bytes)
SELECT 1, decode('${start.toString('hex')}', 'hex') || convert_to('sensor-' || lpad(number::text, 7, '0'), 'UTF8'), 1, '${state}'::bytea
FROM generate_series(0, ${stored - 1}) AS number`,
    );
    await this.client.query(`VACUUM ANALYZE ${schema}.states`);
    return schema;
  }
}
