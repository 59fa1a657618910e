import { keyBytes } from '../../keys/sharding-key.js';
import type { MessageOutcome } from '../../outcomes.js';
import type { EngineKey } from '../base/engine-key.js';
import type { Changes } from '../commits/commit-item.js';
import type { KeyCommits } from '../commits/key-commits.js';
import type { DeadLetters, LetterHooks } from './dead-letters.js';
import type { EpochState } from './epoch-state.js';
import type { HandledMemory } from './handled-memory.js';
import type { Refusal } from './refusal.js';
import { DeliveredMessage, type DirectTrackedMessage, type TrackedMessage } from './tracked-message.js';

/** Whose message it was. */
export interface SettledKey extends EngineKey {
  /** What waits for its commit, where there is a store. */
  readonly commits: KeyCommits | undefined;
  /** A delivery is finished for good. */
  settled(message: DeliveredMessage): void;
}

/**
 * Finishes messages for good. By then they have left their key's FIFO, so that the key may go on while something, a
 * commit say, lies between the outcome and what others can see of it.
 */
export interface Settlement {
  /**
   * The message was handled.
   * @param attempts how many it took; 0 where it was found to be handled before
   * @param changes what is committed with it; without a store there is nothing
   */
  handled(
    key: SettledKey,
    message: TrackedMessage,
    outcome: MessageOutcome<unknown>,
    attempts: number,
    changes: Changes,
  ): void;
  /**
   * The message is refused for good.
   * @param hooks `settled`: it is safe in the dead letters
   */
  refused(key: SettledKey, message: DeliveredMessage, refusal: Refusal, hooks: LetterHooks, changes: Changes): void;
  /** The message was refused for good, and is settled; what remembers it is told. */
  noted(key: SettledKey, message: DeliveredMessage, refusal: Refusal): void;
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

  noted({ id }: SettledKey, { delivery }: DeliveredMessage): void {
    this.memory.remember(id, delivery);
  }
}
