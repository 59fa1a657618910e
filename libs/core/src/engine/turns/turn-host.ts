import type { Delivery } from '../../transport/transport.interface.js';
import type { ContinueOption, Stop } from '../../outcomes.js';
import type { Activation } from '../activation.js';
import type { CallbackPlace } from '../callback-run.js';
import type { MessageTracker } from '../message-tracker.js';
import type { PendingSignal } from '../pending-signal.js';
import type { Shard } from '../shard.js';

/** What follows a message once its settlement is certain. */
export interface Aftermath {
  readonly continuation: ContinueOption | undefined;
  readonly stop: Stop<unknown> | undefined;
}

/** A key as its turns see it. */
export interface TurnHost extends CallbackPlace {
  readonly id: string;
  readonly home: Shard;
  readonly tracker: MessageTracker;
  readonly activation: Activation;
  /** Why the epoch ends, if it does. */
  readonly closeError: Error | undefined;
  /** `handleContinue` is due with this argument. */
  continuation: ContinueOption | undefined;
  /** What waits until the dead letter of a discard is certain; nothing else runs before it. */
  aftermath: Aftermath | undefined;
  /** What was handled too late to be settled in its epoch. */
  handledLate: Delivery | undefined;
  takeSignal(): PendingSignal;
  /** An attempt has left its slot. */
  messageEnded(): void;
  /** The turn is over, and the next one may begin. Called once in each turn. */
  turnEnded(): void;
}
