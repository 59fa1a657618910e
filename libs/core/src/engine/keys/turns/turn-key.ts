import type { ContinueOption, Stop } from '../../../outcomes.js';
import type { Trace } from '../../../telemetry/telemetry.interface.js';
import type { Delivery } from '../../../transport/transport.interface.js';
import type { Epoch } from '../../messages/epoch.js';
import type { MessageTracker } from '../../messages/message-tracker.js';
import type { Activation } from '../../updaters/activation.js';
import type { RunningKey } from '../../updaters/callback-run.js';
import type { PendingSignal } from '../pending-signal.js';

/** What follows a message once its settlement is certain. Nothing else of the key runs before it. */
export interface FollowUp {
  readonly continuation: ContinueOption | undefined;
  readonly stop: Stop<unknown> | undefined;
  /** That of the message's attempt. */
  readonly trace: Trace | undefined;
}

/** A key as its turns see it. */
export interface TurnKey extends RunningKey {
  readonly epoch: Epoch;
  readonly tracker: MessageTracker;
  readonly activation: Activation;
  /** Why the epoch ends for this key, if it does. */
  readonly closeError: Error | undefined;
  /** Why the state that the running callback got is undone, if it is. */
  readonly undone: Error | undefined;
  /** `handleContinue` is due with this argument. */
  continuation: ContinueOption | undefined;
  /** The trace of the attempt that asked for it. */
  continuationTrace: Trace | undefined;
  /** What waits until the dead letter of a discard is certain. */
  followUp: FollowUp | undefined;
  takeSignal(): PendingSignal;
  /** Refuses the signals that wait. */
  rejectSignals(error: Error): void;
  /** The attempt has ended, or was not needed: its slot is free. */
  attemptEnded(): void;
  /** A message was handled too late to be settled in its epoch. */
  handledTooLate(delivery: Delivery): void;
  /** The turn is over, and the next one may begin. Called once in each turn. */
  turnEnded(): void;
}
