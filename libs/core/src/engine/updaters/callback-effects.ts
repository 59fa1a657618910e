import { StoreTransactionEndedError, NoStoreError, NotNowError } from '../../errors/index.js';
import type { PublishInput } from '../../interfaces/callback-context.interface.js';
import { keyBytes } from '../../keys/sharding-key.js';
import type { OutboxMessage, StoreTransaction } from '../../store/store.interface.js';
import type { Trace } from '../../telemetry/telemetry.interface.js';
import type { Environment } from '../base/environment.js';
import type { EngineKey } from '../base/engine-key.js';
import { keyTextOf } from '../base/key-text.js';
import type { DurableEpoch } from '../commits/durable-epoch.js';
import type { KeyCommits } from '../commits/key-commits.js';

/** The callback that adds to its commit. */
interface AddingRun {
  readonly name: string;
  readonly running: boolean;
  readonly environment: Environment;
  readonly trace: Trace | undefined;
  readonly key: EngineKey & { readonly durable: DurableEpoch | undefined; readonly commits: KeyCommits | undefined };
}

/** What a callback adds to its commit: it counts when the callback succeeds, and is gone when it fails. */
export class CallbackEffects {
  readonly outbox: OutboxMessage[] = [];
  /** The handler's transaction, once it asked for one. */
  transaction: Promise<StoreTransaction> | undefined = undefined;
  /** Whether the transaction was asked for, and the store has not begun it. */
  unserved = false;
  private open: boolean;

  constructor(private readonly run: AddingRun) {
    this.open = run.running;
  }

  publish(payload: unknown, input: PublishInput): void {
    this.check('context.publish');
    const { environment, key, trace } = this.run;
    this.outbox.push(environment.encodeMessage(payload, input, keyBytes(key.id), trace));
  }

  begin(): Promise<unknown> {
    this.check('context.transaction');
    if (this.run.name !== 'handleMessage') throw new NotNowError('context.transaction', 'it commits with a message');
    this.transaction ??= this.beginTransaction();
    const client = this.transaction.then((transaction) => transaction.client);
    client.catch(() => undefined); // The attempt fails with it, also where the handler did not wait for it.
    return client;
  }

  /** Without a store there is no commit for it. */
  refuse(): never {
    throw new NoStoreError('The outcome’s publish or forget');
  }

  /** The callback has ended. */
  close(): void {
    this.open = false;
  }

  /** Ends the transaction without effect, where there is one. */
  async abandon(): Promise<void> {
    try {
      await (await this.transaction)?.abandon();
    } catch {
      // It never began.
    }
  }

  private async beginTransaction(): Promise<StoreTransaction> {
    const { key } = this.run;
    const { instance } = key.durable!;
    if (instance.link.connection.begin === undefined) throw new NoStoreError('context.transaction()');
    this.unserved = true;
    // What it reads is to have what earlier messages of the key wrote.
    await new Promise<void>((resolve, reject) => {
      key.commits!.whenSettled((undone) => {
        if (undone) reject(new StoreTransactionEndedError());
        else resolve();
      });
    });
    const transaction = await instance.begin(
      () => !this.open,
      () => keyTextOf(key),
    );
    if (transaction === undefined) throw new StoreTransactionEndedError();
    this.unserved = false;
    return transaction;
  }

  private check(call: string): void {
    const { name, key } = this.run;
    if (key.durable === undefined) throw new NoStoreError(call);
    if (!this.open) throw new NotNowError(call, `${name} has ended`);
    if (name === 'init' || name === 'activate' || name === 'terminate')
      throw new NotNowError(call, `${name} has no commit`);
  }
}
