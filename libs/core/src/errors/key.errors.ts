import { describe } from './describe.js';
import { MississippiError } from './mississippi.error.js';

/** @publicApi */
export class MissingShardingKeyError extends MississippiError {
  readonly code = 'missing_sharding_key';

  constructor() {
    super('A message needs a sharding key: pass { shardingKey } with what the message is about, such as a device id.');
  }
}

/** @publicApi */
export class InvalidShardingKeyError extends MississippiError {
  readonly code = 'invalid_sharding_key';

  constructor(cause: unknown) {
    super(`The sharding key cannot be used: ${describe(cause)}`, { cause });
  }
}

/**
 * The key's shard is not owned by this process at present.
 * @publicApi
 */
export class ShardNotOwnedError extends MississippiError {
  readonly code = 'shard_not_owned';

  constructor(
    readonly shard: number,
    key: string,
  ) {
    super(
      `The key ${key} belongs to shard ${shard}, which this process does not own: use EventsProducer.publish for messages and ` +
        `DataUpdaterService.handleSignal for requests, which reach it wherever it lives.`,
    );
  }
}

/**
 * A callback asked for its own key and would have waited for itself.
 * @publicApi
 */
export class OwnKeyError extends MississippiError {
  readonly code = 'own_key';

  constructor(key: string, call: string) {
    super(
      `${call} was called for the key ${key} from inside a callback of that key and would wait for itself for ever: ` +
        `change the state that the callback was given, answer with { continue }, or call without the callback waiting for it from another provider.`,
    );
  }
}

/**
 * Callbacks would have waited for each other: each in the circle waits for the next key.
 * @publicApi
 */
export class WaitingCycleError extends MississippiError {
  readonly code = 'waiting_cycle';

  constructor(
    call: string,
    /** The keys of the circle, readable; the first one is the last one too. */
    readonly keys: readonly string[],
  ) {
    super(
      `${call} was called from inside a callback that its key waits for, so each would wait for the next for ever: ${keys.join(' → ')}. ` +
        `Publish a message with EventsProducer instead of waiting for one of these keys.`,
    );
  }
}

/** @publicApi */
export class KeyParkedError extends MississippiError {
  readonly code = 'key_parked';

  constructor(key: string) {
    super(
      `The key ${key} is parked, so a message that bypasses the broker cannot be handled in order: resume the key first, or publish the message with EventsProducer.`,
    );
  }
}

/** @publicApi */
export class KeyNotParkedError extends MississippiError {
  readonly code = 'key_not_parked';

  constructor(key: string) {
    super(`The key ${key} has no parked message that could be dropped now: park the key first, and wait until it is.`);
  }
}
