import { keyBytes } from '../../keys/sharding-key.js';
import type { MessageOutcome } from '../../outcomes.js';
import type { EngineKey } from '../base/engine-key.js';
import type { DeadLetters, LetterHooks } from './dead-letters.js';
import type { EpochState } from './epoch-state.js';
import type { HandledMemory } from './handled-memory.js';
import type { Refusal } from './refusal.js';
import { DeliveredMessage, type DirectTrackedMessage, type TrackedMessage } from './tracked-message.js';

/** Whose message it was. */
export interface SettledKey extends EngineKey {
  /** A delivery is finished for good. */
  settled(message: DeliveredMessage): void;
}

/**
 * Finishes messages for good. By then they have left their key's FIFO, so that the key may go on while something, a
 * commit say, lies between the outcome and what others can see of it.
 */
export interface Settlement {
  /** The message was handled. */
  handled(key: SettledKey, message: TrackedMessage, outcome: MessageOutcome<unknown>): void;
  /**
   * The message is refused for good.
   * @param hooks `settled`: it is safe in the dead letters
   */
  refused(key: SettledKey, message: DeliveredMessage, refusal: Refusal, hooks: LetterHooks): void;
}

/** Settles at once, where nothing needs to be committed first. */
export class ImmediateSettlement implements Settlement {
  constructor(
    private readonly epoch: EpochState,
    private readonly memory: HandledMemory,
    private readonly deadLetters: DeadLetters,
  ) {}

  handled(key: SettledKey, message: TrackedMessage, outcome: MessageOutcome<unknown>): void {
    if (message instanceof DeliveredMessage) {
      this.epoch.session.settle(message.delivery);
      this.memory.remember(key.id, message.delivery);
      key.settled(message);
    } else {
      (message as DirectTrackedMessage).resolve(outcome);
    }
  }

  refused(key: SettledKey, message: DeliveredMessage, refusal: Refusal, hooks: LetterHooks): void {
    const { delivery } = message;
    const settled = (): void => {
      this.memory.remember(key.id, delivery);
      hooks.settled();
    };
    this.deadLetters.send({ key, keyBytes: keyBytes(key.id), delivery, ...refusal }, { ...hooks, settled });
  }
}
