import { describe } from './describe.js';
import { MississippiError } from './mississippi.error.js';

/**
 * A key that is `undefined`, `null` or `''`, as of a message about nothing. All of these would share one key.
 * @publicApi
 */
export class MissingShardingKeyError extends MississippiError {
  readonly code = 'missing_sharding_key';

  constructor(given?: unknown) {
    super(
      `A sharding key is needed, but it is ${given === '' ? 'an empty string' : describe(given)}: pass { shardingKey } to publish, ` +
        `or the key to the service, with what the message is about, such as a device id.`,
    );
  }
}

/** @publicApi */
export class InvalidShardingKeyError extends MississippiError {
  readonly code = 'invalid_sharding_key';

  /** @param problem what is wrong with it, in words or as the error that told */
  constructor(problem: unknown) {
    const words = typeof problem === 'string' ? problem : describe(problem);
    super(`The sharding key cannot be used: ${words}`, typeof problem === 'string' ? {} : { cause: problem });
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
    /** Whether signals reach other processes. */
    crosses = true,
  ) {
    super(
      crosses
        ? `The key ${key} belongs to shard ${shard}, which this process does not own: use EventsProducer.publish for messages and ` +
            `DataUpdaterService.handleSignal for requests, which reach it wherever it lives.`
        : `The key ${key} belongs to shard ${shard}, which this app does not own: use EventsProducer.publish for messages. ` +
            `Over this transport handleSignal reaches no other app: ask the DataUpdaterService of the app that has the handler.`,
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

/**
 * Why a key's messages go to the side queue: `held` until somebody resumes it, under `pressure` until its next attempt,
 * `resuming` until everything that was parked is handled.
 * @publicApi
 */
export type ParkedState = 'held' | 'pressure' | 'resuming';

/**
 * A message that bypasses the broker cannot be handled in order, because messages of its key are parked.
 * @publicApi
 */
export class KeyParkedError extends MississippiError {
  readonly code = 'key_parked';

  constructor(
    key: string,
    /** Why it is parked, and so what helps. */
    readonly state: ParkedState,
  ) {
    super(
      `The key ${key} ${WHY_PARKED[state]}, so a message that bypasses the broker cannot be handled in order: ${WHAT_HELPS[state]}, or publish the message with EventsProducer.`,
    );
  }
}

const WHY_PARKED: Record<ParkedState, string> = {
  held: 'is parked until somebody resumes it',
  pressure: 'is parked under pressure, since its first message keeps failing or its data updater does not start',
  resuming: 'was resumed, and is fed what was parked of it',
};

const WHAT_HELPS: Record<ParkedState, string> = {
  held: 'resume the key first (MississippiOperator.resume, from any process)',
  pressure: 'try again later, since it resumes by itself (to resume it does nothing)',
  resuming: 'wait for the event unparked',
};

/**
 * `resume` or `drop` found nothing that is held: the key is not parked, or is fed already, or what is to be dropped is
 * not in the side queue yet.
 * @publicApi
 */
export class KeyNotParkedError extends MississippiError {
  readonly code = 'key_not_parked';

  constructor(
    key: string,
    call: 'resume' | 'drop' | 'dropAll',
    /** Set where it is parked, and yet there is nothing to do. */
    state?: ParkedState,
  ) {
    super(`The key ${key} ${whyNot(call, state)}.`);
  }
}

function whyNot(call: 'resume' | 'drop' | 'dropAll', state: ParkedState | undefined): string {
  const drops = call !== 'resume';
  switch (state) {
    case 'pressure':
      return `is parked under pressure and resumes by itself: ${drops ? 'park the key first (MississippiOperator.pause), then drop its message' : 'there is nothing to do'}`;
    case 'resuming':
      return `was resumed already: ${drops ? 'park the key again (MississippiOperator.pause), then drop its message' : 'there is nothing to do'}`;
    case 'held':
      return `is parked, but none of its messages is in the side queue and can be ${drops ? 'dropped' : 'resumed'} now: wait until one is`;
    default:
      return `is not parked, so there is nothing to ${call}: park the key first (MississippiOperator.pause), and wait until it is`;
  }
}

/**
 * What stands in the way of an operator at a key's first message: it is handled at this moment (`running`), its dead letter is
 * on its way (`settling`), or it is itself to the side queue (`moving`), it is about to be handled (`ready`), or there is none
 * (`none`).
 * @publicApi
 */
export type HeadState = 'running' | 'settling' | 'moving' | 'ready' | 'none';

/**
 * `retry` or `drop` found no first message that waits.
 * @publicApi
 */
export class HeadNotWaitingError extends MississippiError {
  readonly code = 'head_not_waiting';

  constructor(
    key: string,
    call: 'retry' | 'drop',
    /** What it does instead. */
    readonly state: HeadState,
  ) {
    super(
      `The key ${key} has no message that can be ${call === 'retry' ? 'retried' : 'dropped'}: ${HEAD_STATES[state]}.`,
    );
  }
}

const HEAD_STATES: Record<HeadState, string> = {
  running: 'its first one is being handled, so wait until that ends, or pause the key and drop it then',
  settling: 'its first one is on its way to the dead letters',
  moving: 'its first one is on its way to the side queue, so wait until it is there',
  ready: 'its first one is about to be handled, without a wait that could be cut short',
  none: 'none of them is here, and if there are some, they wait in the broker',
};

/**
 * The first message of the key is not the one that was to be dropped or retried: it has been handled, or dropped already.
 * @publicApi
 */
export class HeadChangedError extends MississippiError {
  readonly code = 'head_changed';

  constructor(
    key: string,
    expected: string,
    /** The id of the message that comes first; `undefined` where it has none. */
    readonly found: string | undefined,
    call: 'retry' | 'drop' | 'dropAll' = 'drop',
  ) {
    super(
      `The message ${expected} does not come first at the key ${key}: ${found === undefined ? 'one without an id' : found} does. It was handled or dropped before, or comes later. Nothing was ${call === 'retry' ? 'retried' : 'dropped'} now; look at the key again.`,
    );
  }
}
