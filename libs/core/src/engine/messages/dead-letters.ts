import type { Clock, Timer } from '../../clock/clock.interface.js';
import { describe } from '../../errors/describe.js';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import { NOTE_HEADERS, type DeadLetterReason } from '../../note-headers.js';
import type { Delivery } from '../../transport/transport.interface.js';
import { LogLimit } from '../../log-limit.js';
import type { EngineKey } from '../base/engine-key.js';
import { describeAttempts, describeMessage } from './describe-message.js';
import type { EpochState } from './epoch-state.js';
import { notes } from './notes.js';

/** A message on its way to the dead letters. */
export interface DeadLetter {
  /** Missing where the message belongs to no key of the shard. */
  readonly key: EngineKey | undefined;
  /** As it was on the wire or canonical, for the notes. */
  readonly keyBytes: Uint8Array | undefined;
  readonly delivery: Delivery;
  readonly reason: DeadLetterReason;
  readonly error: unknown;
  readonly attempts: number;
  /** What was noted of its failure when it was parked, where only that is known. */
  readonly noted?: MessageHeaders | undefined;
}

/** What whoever sends a dead letter hears of it. */
export interface LetterHooks {
  /** It is confirmed and settled; never called, if the epoch ends before. */
  settled(): void;
  /** A try failed, and the next one is waited for. */
  postponed?(letter: PostponedLetter): void;
  /** With a store: it was not committed, or the epoch ended before that was known. */
  lost?(error: Error): void;
}

/** A dead letter between two tries: no copy of it is under way, so that its message may be moved meanwhile. */
export class PostponedLetter {
  private timer: Timer | undefined;

  constructor(
    clock: Clock,
    private readonly delivery: Delivery,
    /** Milliseconds until the next try. */
    readonly delay: number,
    /** Tries again, with the message as it is delivered then. */
    readonly send: (delivery: Delivery) => void,
  ) {
    this.timer = clock.after(delay, () => {
      this.timer = undefined;
      send(delivery);
    });
  }

  /** Whether the next try has yet to begin, and begins by itself. */
  get waits(): boolean {
    return this.timer !== undefined;
  }

  /** Tries again at once. Returns whether that was still to come. */
  hurry(): boolean {
    const waits = this.waits;
    if (waits) {
      this.withdraw();
      this.send(this.delivery);
    }
    return waits;
  }

  /** The next try is left to whoever calls this. */
  withdraw(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }
}

/** Publishes messages of one epoch to the dead letters. */
export class DeadLetters {
  private unconfirmed = 0;

  /** Those that were refused and wait for their next try. */
  private readonly waiting = new Map<DeadLetter, PostponedLetter>();
  private readonly limits = new Map<DeadLetterReason, LogLimit>();

  /** @param changed called whenever one fewer is unconfirmed */
  constructor(
    private readonly epoch: EpochState,
    private readonly changed: () => void,
  ) {}

  /** Published and not confirmed; those that wait for their next try are left out. */
  get pending(): number {
    return this.unconfirmed;
  }

  /**
   * Publishes a message and settles it once that is confirmed. It is tried again, with backoff, until it is or the epoch
   * ends; one that belongs to no key holds nobody up, and simply goes back with the shard when that is given away.
   */
  send(letter: DeadLetter, hooks: LetterHooks, tries = 1): void {
    if (tries === 1) this.tell(letter);
    this.unconfirmed++;
    this.publish(letter).then(
      () => {
        this.ended();
        if (!this.epoch.ended) hooks.settled();
      },
      (failure: unknown) => {
        this.ended();
        this.failed(letter, hooks, tries, failure);
      },
    );
  }

  /** Publishes a message and settles it once that is confirmed. Rejects when it is not. Nobody else waits for it. */
  async publish({ key, keyBytes, delivery, reason, error, attempts, noted }: DeadLetter): Promise<void> {
    const { epoch } = this;
    await epoch.session.deadLetter(delivery, { ...notes(reason, keyBytes, epoch, { error, attempts }), ...noted });
    const { sink } = epoch.environment.events;
    if (key === undefined) sink?.strayDeadLettered(reason);
    else if (!epoch.ended) sink?.message('deadLettered', key, delivery, attempts, { reason });
  }

  /** The epoch has ended or is about to: what it is too late for is not tried again, and keeps no process. */
  close(): void {
    for (const [letter, postponed] of this.waiting) {
      if (!this.isTooLate(letter)) continue;
      postponed.withdraw();
      this.waiting.delete(letter);
    }
  }

  private ended(): void {
    this.unconfirmed--;
    this.changed();
  }

  /** Tells the log, at a bounded rate, that a message is dead-lettered. */
  tell(letter: DeadLetter): void {
    const { key, reason, error, attempts } = letter;
    const { environment } = this.epoch;
    let limit = this.limits.get(reason);
    if (limit === undefined) this.limits.set(reason, (limit = new LogLimit(environment.clock)));
    limit.tell((more, untold) => {
      const fields = this.fields(letter);
      const after = key === undefined || attempts === 0 ? '' : ` after ${describeAttempts(attempts)}`;
      environment.log.error(
        `The ${describeMessage(fields.messageId, fields.key, fields.shard)} is dead-lettered${after} (${reason})${whyOf(letter)}${more}`,
        { event: 'deadLettered', ...fields, untold },
        error,
      );
    });
  }

  private failed(letter: DeadLetter, hooks: LetterHooks, tries: number, failure: unknown): void {
    const { clock, log, policy } = this.epoch.environment;
    if (this.isTooLate(letter)) return;
    if (tries === 1) {
      const fields = this.fields(letter);
      log.warn(
        `The dead letter of the ${describeMessage(fields.messageId, fields.key, fields.shard)} was not taken and is tried again: ${describe(failure)}`,
        { event: 'deadLetterRefused', ...fields },
        failure,
      );
    }
    const postponed = new PostponedLetter(clock, letter.delivery, policy.ordinaryDelay(tries), (delivery) => {
      this.waiting.delete(letter);
      if (!this.isTooLate(letter)) this.send({ ...letter, delivery }, hooks, tries + 1);
    });
    this.waiting.set(letter, postponed);
    hooks.postponed?.(postponed);
  }

  private isTooLate({ key }: DeadLetter): boolean {
    const { epoch } = this;
    return epoch.ended || (key === undefined && epoch.phase !== 'open');
  }

  private fields({ keyBytes, delivery: { messageId }, reason, attempts }: DeadLetter) {
    const { environment, shard, number } = this.epoch;
    return { key: environment.keyText(keyBytes), shard, epoch: number, messageId, attempts, reason };
  }
}

/** The error, or what was noted of it; a message that was dropped before it was ever tried has none. */
function whyOf({ error, noted, reason }: DeadLetter): string {
  const text = noted?.[NOTE_HEADERS.error];
  if (error === undefined && typeof text === 'string') return `: ${text}`;
  return error === undefined && reason === 'dropped' ? '' : `: ${describe(error)}`;
}
