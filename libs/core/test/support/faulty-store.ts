import { CommitRefusedError, StoreBusyError, StoreUnavailableError } from '../../src/index.js';
import type {
  CommitVerdict,
  ShardCommit,
  Store,
  StoreConnection,
  StoreContext,
  StoreStatus,
  StoreTransaction,
} from '../../src/store/index.js';
import { Gate } from '#support/gate.js';

/** What can be asked of a store; `commitTransaction` is `commit` of a transaction. */
export type StoreCall =
  | 'connect'
  | 'openShard'
  | 'load'
  | 'audit'
  | 'lookUp'
  | 'commit'
  | 'resolve'
  | 'outbox'
  | 'maintain'
  | 'enqueue'
  | 'enqueued'
  | 'begin'
  | 'commitTransaction';

/** Which calls: those from the `nth` from now on (default the next), `times` of them (default one). */
export interface Which {
  readonly nth?: number;
  readonly times?: number;
}

/** A call that stands still. */
export interface Held {
  /** Resolves when the call has come there. */
  readonly reached: Promise<void>;
  /** Lets it go on; also when it has not come there yet. */
  release(): void;
}

interface Plan {
  readonly call: StoreCall;
  /** Calls until it takes hold. */
  wait: number;
  left: number;
  readonly before?: () => Promise<void>;
  readonly after?: () => Promise<void>;
}

/**
 * A store that fails when it is told to, and by nothing else. Calls count over all of its connections. A fault that was
 * planned and did not happen yet is in {@link FaultyStore.pending}, so that a test can see that it was planted.
 */
export class FaultyStore implements Store {
  readonly name: string;
  /** Whether all is asked in one session, as far as the core is told. */
  singleSession = false;
  /** What was asked, in order. */
  readonly calls: StoreCall[] = [];
  /** The groups that were to be committed, those of transactions too. */
  readonly commits: (readonly ShardCommit[])[] = [];
  private plans: Plan[] = [];
  private readonly refusals = new Set<(commit: ShardCommit) => boolean>();
  private readonly underWay = new Set<(error: Error) => void>();
  private readonly transactions = new Set<FaultyTransaction>();
  private readonly connections = new Set<StoreConnection>();
  private absence: string | undefined;
  private problem: string | undefined;

  constructor(private readonly inner: Store) {
    this.name = inner.name;
  }

  /** Planned faults that have not happened yet. */
  get pending(): number {
    return this.plans.length;
  }

  /** Rejects a call before it has any effect. */
  fail(call: StoreCall, which?: Which, error: Error = new StoreUnavailableError('it was not sent')): void {
    this.plan(call, which, { before: () => Promise.reject(error) });
  }

  /** Rejects a call with {@link StoreBusyError}: it wrote nothing, and may the next time. */
  busy(call: StoreCall, which?: Which): void {
    this.fail(call, which, new StoreBusyError('a deadlock'));
  }

  /** Rejects a call after it has had its effect. */
  loseAnswer(call: StoreCall, which?: Which): void {
    this.plan(call, which, { after: () => Promise.reject(new StoreUnavailableError('the answer was lost')) });
  }

  /** Holds a call up before it has any effect. */
  hold(call: StoreCall, nth = 1): Held {
    const [reached, released] = [new Gate(), new Gate()];
    this.plan(call, { nth }, { before: () => stop(reached, released) });
    return { reached: reached.promise, release: () => released.resolve() };
  }

  /** Holds the answer of a call up, which has had its effect by then. */
  holdAnswer(call: StoreCall, nth = 1): Held {
    const [reached, released] = [new Gate(), new Gate()];
    this.plan(call, { nth }, { after: () => stop(reached, released) });
    return { reached: reached.promise, release: () => released.resolve() };
  }

  /**
   * Refuses from now on each group, and each transaction, with a commit of this kind, as a database refuses a bad row.
   * @returns a function that ends it
   */
  refuse(isBad: (commit: ShardCommit) => boolean): () => void {
    this.refusals.add(isBad);
    return () => void this.refusals.delete(isBad);
  }

  refuseMessage(messageId: string): () => void {
    return this.refuse(({ handled }) => handled.some((entry) => entry.messageId === messageId));
  }

  refuseKey(key: Uint8Array): () => void {
    const isKey = (item: { readonly key: Uint8Array }): boolean => Buffer.compare(item.key, key) === 0;
    return this.refuse(({ handled, states }) => handled.some(isKey) || states.some(isKey));
  }

  /** From now on nothing reaches the store: every call is rejected before it has any effect. What is under way is not touched. */
  goAway(problem = 'the store is away'): void {
    this.absence = problem;
  }

  comeBack(): void {
    this.absence = undefined;
  }

  /**
   * Breaks the connections to the server: calls under way are rejected, though what they ask may still happen, and
   * transactions end unless their commit is under way. Later calls go through.
   */
  async cut(): Promise<void> {
    for (const reject of this.underWay) reject(new StoreUnavailableError('the connection broke'));
    this.underWay.clear();
    await Promise.all([...this.transactions].map((transaction) => transaction.break()));
  }

  async connect(context: StoreContext): Promise<StoreConnection> {
    const connection = await this.ask('connect', () => this.inner.connect(context));
    this.connections.add(connection);
    return new FaultyConnection(this, connection);
  }

  /** Ends all connections, as the end of a process does. */
  async close(): Promise<void> {
    for (const connection of this.connections) await connection.close();
  }

  /** @internal */
  statusOf(connection: StoreConnection): StoreStatus {
    const problem = this.absence ?? this.problem;
    return problem === undefined ? connection.status() : { connected: false, problem };
  }

  /** @internal */
  async ask<T>(call: StoreCall, question: () => Promise<T>, commits: readonly ShardCommit[] = []): Promise<T> {
    this.calls.push(call);
    if (call === 'commit' || call === 'commitTransaction') this.commits.push(commits);
    try {
      const answer = await this.answer(call, question, commits);
      this.problem = undefined;
      return answer;
    } catch (error) {
      if (error instanceof StoreUnavailableError) this.problem = error.message;
      throw error;
    }
  }

  /** @internal */
  keep(transaction: FaultyTransaction): FaultyTransaction {
    this.transactions.add(transaction);
    return transaction;
  }

  /** @internal */
  leave(transaction: FaultyTransaction): void {
    this.transactions.delete(transaction);
  }

  private answer<T>(call: StoreCall, question: () => Promise<T>, commits: readonly ShardCommit[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.underWay.add(reject);
      void this.play(call, question, commits)
        .finally(() => this.underWay.delete(reject))
        .then(resolve, reject);
    });
  }

  private async play<T>(call: StoreCall, question: () => Promise<T>, commits: readonly ShardCommit[]): Promise<T> {
    this.checkReachable();
    const plans = this.takePlans(call);
    for (const { before } of plans) await before?.();
    if (plans.length > 0) this.checkReachable();
    if (commits.some((commit) => [...this.refusals].some((isBad) => isBad(commit)))) {
      throw new CommitRefusedError('content', 'a bad row');
    }
    const answer = await question();
    for (const { after } of plans) await after?.();
    return answer;
  }

  private checkReachable(): void {
    if (this.absence !== undefined) throw new StoreUnavailableError(this.absence);
  }

  private plan(call: StoreCall, { nth = 1, times = 1 }: Which = {}, steps: Pick<Plan, 'before' | 'after'>): void {
    this.plans.push({ call, wait: nth - 1, left: times, ...steps });
  }

  /** Counts a call, and returns what is planned for it. */
  private takePlans(call: StoreCall): Plan[] {
    const counted = this.plans.filter((plan) => plan.call === call);
    const due = counted.filter((plan) => plan.wait === 0);
    for (const plan of counted) if (plan.wait > 0) plan.wait--;
    for (const plan of due) plan.left--;
    this.plans = this.plans.filter((plan) => plan.left > 0);
    return due;
  }
}

async function stop(reached: Gate, released: Gate): Promise<void> {
  reached.resolve();
  await released.promise;
}

/** A connection whose calls go through its store's faults. */
class FaultyConnection implements StoreConnection {
  readonly begin?: () => Promise<StoreTransaction>;

  constructor(
    private readonly store: FaultyStore,
    private readonly inner: StoreConnection,
  ) {
    if (inner.begin === undefined) return;
    this.begin = async () => {
      const transaction = await store.ask('begin', () => inner.begin!());
      return store.keep(new FaultyTransaction(store, transaction));
    };
  }

  get singleSession(): boolean {
    return this.store.singleSession;
  }

  status(): StoreStatus {
    return this.store.statusOf(this.inner);
  }

  openShard(shard: number) {
    return this.store.ask('openShard', () => this.inner.openShard(shard));
  }

  load(...args: Parameters<StoreConnection['load']>) {
    return this.store.ask('load', () => this.inner.load(...args));
  }

  audit(...args: Parameters<StoreConnection['audit']>) {
    return this.store.ask('audit', () => this.inner.audit(...args));
  }

  lookUp(...args: Parameters<StoreConnection['lookUp']>) {
    return this.store.ask('lookUp', () => this.inner.lookUp(...args));
  }

  commit(commits: readonly ShardCommit[]) {
    return this.store.ask('commit', () => this.inner.commit(commits), commits);
  }

  resolve(...args: Parameters<StoreConnection['resolve']>) {
    return this.store.ask('resolve', () => this.inner.resolve(...args));
  }

  outbox(...args: Parameters<StoreConnection['outbox']>) {
    return this.store.ask('outbox', () => this.inner.outbox(...args));
  }

  enqueue(...args: Parameters<NonNullable<StoreConnection['enqueue']>>) {
    return this.store.ask('enqueue', () => this.inner.enqueue!(...args));
  }

  enqueued(...args: Parameters<NonNullable<StoreConnection['enqueued']>>) {
    return this.store.ask('enqueued', () => this.inner.enqueued!(...args));
  }

  maintain(...args: Parameters<StoreConnection['maintain']>) {
    return this.store.ask('maintain', () => this.inner.maintain(...args));
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

/** A transaction that breaks with its connection. */
class FaultyTransaction implements StoreTransaction {
  private state: 'open' | 'committing' | 'broken' = 'open';
  private readonly end = new Gate();

  constructor(
    private readonly store: FaultyStore,
    private readonly inner: StoreTransaction,
  ) {}

  get client(): unknown {
    return this.inner.client;
  }

  async commit(commit: ShardCommit): Promise<CommitVerdict> {
    if (this.state === 'broken') throw new StoreUnavailableError('the connection of the transaction broke');
    this.state = 'committing';
    try {
      return await this.store.ask('commitTransaction', () => this.inner.commit(commit), [commit]);
    } finally {
      await this.abandon();
    }
  }

  get released(): Promise<void> {
    return this.end.promise;
  }

  async abandon(): Promise<void> {
    this.store.leave(this);
    await this.inner.abandon();
    this.end.resolve();
  }

  async break(): Promise<void> {
    if (this.state !== 'open') return;
    this.state = 'broken';
    await this.abandon();
  }
}
