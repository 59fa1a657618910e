import { randomUUID } from 'node:crypto';
import { CommitRefusedError } from '@mississippi/core';
import type { OpenTransaction } from '../database/database.interface.js';
import { GuardedClient } from '../database/guarded-client.js';
import { firstOfLast, MARK } from '../statements/commit.js';
import { executeText, inline, prepareText, type Filled } from '../statements/statement.js';
import { endBackend, type BackendTransaction } from './backend.js';
import { askForHandler, askText, type Client } from './client.js';
import { Lease, type ClientSource } from './lease.js';
import type { OwnPool } from './server-pools.js';

/** What sessions keep prepared. A failed transaction takes its connection with it. */
const preparedOn = new WeakMap<Client, Set<string>>();

/** What `DISCARD ALL` does, but for prepared statements. */
const FORGET =
  'RESET SESSION AUTHORIZATION; RESET ALL; CLOSE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP';

/** What a transaction is opened with. */
export interface TransactionPlan {
  readonly source: ClientSource;
  /** Ends what goes on after it was abandoned. */
  readonly committer: OwnPool;
  /** Milliseconds. */
  readonly idleTimeout: number;
  readonly requestTimeout: number;
  readonly prepare: boolean;
  /** Whether the connection is ours: then what a handler sets on its session is undone behind its transaction. */
  readonly own: boolean;
  /** It is over. */
  readonly onEnd: () => void;
  /** Its connection is in the pool again, or gone. */
  readonly onFree: () => void;
}

/** A handler's transaction on a server. */
export class ServerTransaction implements OpenTransaction {
  readonly client: GuardedClient;
  private ended: Promise<void> | undefined;

  private constructor(
    private readonly plan: TransactionPlan,
    private readonly lease: Lease,
    private readonly mark: string,
    private readonly backend: BackendTransaction,
  ) {
    this.client = new GuardedClient((sql, params) => askForHandler(lease.client, sql, params));
  }

  static async begin(plan: TransactionPlan): Promise<ServerTransaction> {
    const lease = await Lease.take(plan.source);
    const mark = randomUUID();
    try {
      const answers = await askText(
        lease.client,
        `BEGIN; SELECT pg_backend_pid(), extract(epoch FROM now())::text, set_config('${MARK}', '${mark}', true), ` +
          `set_config('idle_in_transaction_session_timeout', '${Math.ceil(plan.idleTimeout)}', true)`,
        plan.requestTimeout,
      );
      const [pid, startedAt] = answers.at(-1)!.rows[0]!;
      return new ServerTransaction(plan, lease, mark, { pid: Number(pid), startedAt: String(startedAt) });
    } catch (error) {
      lease.destroy();
      throw error;
    }
  }

  async commit(last: Filled): Promise<void> {
    this.client.end('it was committed, or its commit has failed');
    const { lease, plan } = this;
    if (!(await within(plan.requestTimeout, this.client.settled()))) {
      await this.abandon();
      throw new CommitRefusedError('content', 'A query that the handler did not wait for goes on: await each query.');
    }
    if (this.ended !== undefined) throw new CommitRefusedError('content', 'The transaction was abandoned.');
    if (lease.lost !== undefined) {
      await this.abandon();
      throw lease.lost;
    }
    try {
      const text = plan.prepare ? this.preparing(last) : inline(last.statement, last.params);
      const answers = await askText(lease.client, `${firstOfLast(this.mark)};\n${text};\nCOMMIT`, plan.requestTimeout);
      checkCommitted(answers.at(-1)!.command);
      if (plan.prepare) this.hasPrepared(last);
    } catch (error) {
      await this.abandon();
      throw error;
    }
    this.ended = Promise.resolve();
    plan.onEnd();
    this.giveBack();
  }

  abandon(): Promise<void> {
    this.client.abandon('it was abandoned');
    this.ended ??= this.end();
    return this.ended;
  }

  /** A statement that the session does not have yet is prepared on the way. */
  private preparing({ statement, params }: Filled): string {
    const known = preparedOn.get(this.lease.client)?.has(statement.name) === true;
    return `${known ? '' : `${prepareText(statement)};\n`}${executeText(statement, params)}`;
  }

  private hasPrepared({ statement }: Filled): void {
    const known = preparedOn.get(this.lease.client) ?? new Set();
    preparedOn.set(this.lease.client, known.add(statement.name));
  }

  private async end(): Promise<void> {
    this.lease.destroy();
    this.plan.onFree();
    await endBackend(this.plan.committer, this.backend);
    this.plan.onEnd();
  }

  private giveBack(): void {
    const { lease, plan } = this;
    const release = (): void => {
      lease.release();
      plan.onFree();
    };
    if (!plan.own) {
      release();
      return;
    }
    askText(lease.client, FORGET, plan.requestTimeout).then(release, () => {
      lease.destroy();
      plan.onFree();
    });
  }
}

/** Whether a promise, which does not reject, resolves in time. */
async function within(milliseconds: number, promise: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), milliseconds)));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** COMMIT of a transaction in which something has failed answers ROLLBACK, and no error. */
export function checkCommitted(command: string): void {
  if (command === 'COMMIT') return;
  throw new CommitRefusedError('content', `COMMIT was answered by ${command}: a query of the handler's had failed.`);
}
