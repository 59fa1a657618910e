import { CommitRefusedError, StoreUnavailableError, type MississippiError } from '@mississippi/core';
import type { CommitVerdict, ShardCommit, StoreTransaction } from '@mississippi/core/store';
import type { OpenTransaction } from './database/database.interface.js';
import type { SqlClient } from './database/sql-client.interface.js';
import { reasonOf } from './errors/reason.js';
import { refusalOf } from './errors/refusals.js';
import { SQL_STATE, sqlStateOf } from './errors/sql-states.js';
import { commitParams } from './statements/commit-params.js';
import type { CommitStatements } from './statements/commit.js';

/** What a transaction of the store is made of. */
export interface TransactionParts {
  readonly transaction: OpenTransaction;
  readonly statements: CommitStatements;
  readonly instance: number;
  readonly isStale: (commit: ShardCommit) => Promise<boolean>;
  /** Whether the database takes no writes. */
  readonly isReadOnly: () => Promise<boolean>;
  readonly asError: (error: unknown) => MississippiError;
}

/** A handler's writes and its message's commit, together. */
export class PostgresTransaction implements StoreTransaction {
  private isOver = false;

  constructor(private readonly parts: TransactionParts) {}

  get client(): SqlClient {
    return this.parts.transaction.client;
  }

  get released(): Promise<void> | undefined {
    return this.parts.transaction.done?.catch(() => undefined);
  }

  async commit(commit: ShardCommit): Promise<CommitVerdict> {
    const { transaction, statements, instance, isStale, isReadOnly, asError } = this.parts;
    if (this.isOver) throw new CommitRefusedError('content', 'The transaction was committed or abandoned before.');
    this.isOver = true;
    try {
      const { parts, params } = commitParams(instance, [commit]);
      await transaction.commit({ statement: statements.last(parts), params });
      return 'committed';
    } catch (error) {
      await transaction.abandon();
      if (refusalOf(error) === 'stale') return 'stale';
      const own = sqlStateOf(error) === SQL_STATE.readOnly && !(await isReadOnly());
      const meant = own ? madeReadOnly(error) : (explained(error, transaction.client.failure) ?? asError(error));
      if (meant instanceof StoreUnavailableError) throw meant;
      // The newer owner may have written the same: then the row that is in the way is no fault of the message's.
      if (await isStale(commit)) return 'stale';
      throw meant;
    }
  }

  abandon(): Promise<void> {
    this.isOver = true;
    return this.parts.transaction.abandon();
  }
}

/** The database takes writes, and the handler's transaction does not: it would not the next time either. */
function madeReadOnly(error: unknown): CommitRefusedError {
  return new CommitRefusedError('content', 'The handler made its transaction read-only, so that nothing can be kept.', {
    cause: error,
  });
}

/** What the server says without words of its own. */
function explained(error: unknown, failure: unknown): CommitRefusedError | undefined {
  const options = { cause: error };
  switch (refusalOf(error) ?? sqlStateOf(error)) {
    case 'repeated':
      return new CommitRefusedError('known', 'The inbox has an entry for a message of the commit already.', options);
    case 'otherTransaction':
      return new CommitRefusedError('content', "The handler's transaction had ended before its commit.", options);
    case SQL_STATE.failedTransaction:
      return new CommitRefusedError(
        'content',
        `A query of the handler's had failed (${reasonOf(failure ?? error)}), and with it the transaction.`,
        { cause: failure ?? error },
      );
    case SQL_STATE.idleInTransaction:
      return new CommitRefusedError(
        'content',
        'The server ended the transaction, because nothing was asked in it for longer than transactionIdleTimeout.',
        options,
      );
    default:
      return undefined;
  }
}
