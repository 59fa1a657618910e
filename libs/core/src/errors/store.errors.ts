import { MississippiError } from './mississippi.error.js';

/**
 * The store cannot be reached, or did not answer: what was asked may have happened or not. The library tries again by itself.
 * @publicApi
 */
export class StoreUnavailableError extends MississippiError {
  readonly code = 'store_unavailable';
}

/**
 * The store wrote nothing this time, and may the next time: a deadlock, a serialization failure. The library tries again by
 * itself.
 * @publicApi
 */
export class StoreBusyError extends MississippiError {
  readonly code = 'store_busy';
}

/**
 * The store wrote nothing and never will. `content`: a value that it does not take, a constraint, a transaction of the handler's that
 * had failed; the message's attempt has failed. `known`: an entry of the inbox exists already; the shard is given back, and
 * its messages are looked up again.
 * @publicApi
 */
export class CommitRefusedError extends MississippiError {
  readonly code = 'commit_refused';

  constructor(
    readonly reason: 'content' | 'known',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * The store knows the instance with other shards: another transport, number of shards or hash.
 * @publicApi
 */
export class StoreMismatchError extends MississippiError {
  readonly code = 'store_mismatch';
}

/**
 * Another process has the instance of an embedded transport open.
 * @publicApi
 */
export class StoreInUseError extends MississippiError {
  readonly code = 'store_in_use';
}

/**
 * The server refuses for a reason that waiting does not mend: a wrong password, a missing right, a version too old.
 * @publicApi
 */
export class StoreAccessError extends MississippiError {
  readonly code = 'store_access';

  constructor(
    readonly reason: 'authentication' | 'permission' | 'version' | 'database' | 'configuration',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * The state after a callback cannot be kept: the codec does not give it back alike, or it is too large. The callback has failed.
 * @publicApi
 */
export class StateEncodeError extends MississippiError {
  readonly code = 'state_encode';
}

/**
 * A stored state cannot be read: it is damaged, of a newer version, or `migrate` failed. The key waits, and the state stays as it is.
 * @publicApi
 */
export class StateDecodeError extends MississippiError {
  readonly code = 'state_decode';
}

/**
 * The stored state of a key is not the one that an operator named: it was changed meanwhile, or there is none. Nothing was done.
 * @publicApi
 */
export class StateVersionError extends MississippiError {
  readonly code = 'state_version';

  /**
   * @param version that was named; 0 for no state
   * @param found the one that is there; 0 where there is no state
   */
  constructor(
    key: string,
    readonly version: number,
    readonly found: number,
  ) {
    const there =
      found === 0 ? `There is no state of the key ${key}` : `The state of the key ${key} has the version ${found}`;
    const named =
      version === 0 ? (found === 0 ? '' : ', and none was expected') : `, and the version ${version} was named`;
    super(`${there}${named}: look at it again before you change it.`);
  }
}

/**
 * The audit trail has no such entry of the key.
 * @publicApi
 */
export class AuditEntryNotFoundError extends MississippiError {
  readonly code = 'audit_entry_not_found';

  constructor(key: string, id: string) {
    super(`The audit trail has no entry ${id} of the key ${key}: list it by audit({ key }).`);
  }
}

/**
 * A signal ran on a state that was not committed in the end: what it changed is undone, and it may be sent again.
 * @publicApi
 */
export class StateNotCommittedError extends MississippiError {
  readonly code = 'state_not_committed';

  constructor(key: string, cause: unknown) {
    super(
      `The signal to the key ${key} ran on a state that the store then refused, so nothing of it stands: send it again.`,
      { cause },
    );
  }
}

/**
 * Something of the store was asked for in an instance without one.
 * @publicApi
 */
export class NoStoreError extends MississippiError {
  readonly code = 'no_store';

  constructor(what: string) {
    const otherwise = what.includes('publish')
      ? ' Without one, publish by EventsProducer: at once, whatever becomes of the callback.'
      : '';
    super(
      `${what} needs a store: give forRoot one, such as store: postgres({ … }) of @mississippi/postgres.${otherwise}`,
    );
  }
}

/**
 * The key has finished another message with the same id: ids are unique per key, within the inbox's horizon.
 * @publicApi
 */
export class MessageIdConflictError extends MississippiError {
  readonly code = 'message_id_conflict';

  constructor(messageId: string, key: string) {
    super(
      `The key ${key} has finished another message with the id ${messageId}: give each message an id of its own, and the same id only to repeats.`,
    );
  }
}

/**
 * The store knows a later epoch of the shard: another process owns it. Nothing was written.
 * @publicApi
 */
export class StaleEpochError extends MississippiError {
  readonly code = 'stale_epoch';

  constructor(shard: number, epoch: number) {
    super(
      `Shard ${shard} has a later epoch than ${epoch} in the store: another process owns it, and nothing was written.`,
    );
  }
}

/**
 * Something that belongs to a callback's commit was asked for where there is none.
 * @publicApi
 */
export class NotNowError extends MississippiError {
  readonly code = 'not_now';

  constructor(call: string, why: string) {
    super(
      `${call} has no effect here, since ${why}: call it in handleMessage, handleSignal or handleContinue, before it returns.`,
    );
  }
}

/**
 * The callback of a transaction has ended, or what it stands on was undone: nothing of it is written.
 * @publicApi
 */
export class StoreTransactionEndedError extends MississippiError {
  readonly code = 'transaction_ended';

  constructor() {
    super('The transaction has ended with its callback: await what it does before the callback returns.');
  }
}

/**
 * The callback has a transaction open in a store with one session, such as PGlite: what it asked for would wait for the store, and so
 * for the callback itself.
 * @publicApi
 */
export class StoreHeldError extends MississippiError {
  readonly code = 'store_held';

  constructor(call: string) {
    super(
      `${call} was called in a callback with an open transaction, and the store has one session only (PGlite): call it before context.transaction(), use context.publish, or keep the state in a PostgreSQL server.`,
    );
  }
}
