import type { Timer } from '../../clock/clock.interface.js';
import { describe } from '../../errors/describe.js';
import type { DeadLetterReason } from '../../note-headers.js';
import type { Delivery } from '../../transport/transport.interface.js';
import { LogLimit } from '../base/log-limit.js';
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
}

/** Publishes messages of one epoch to the dead letters. */
export class DeadLetters {
  private unconfirmed = 0;

  /** Those that were refused and wait for their next try. */
  private readonly waiting = new Map<DeadLetter, Timer>();
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
   * @param settled called in the first case only
   */
  send(letter: DeadLetter, settled: () => void, tries = 1): void {
    if (tries === 1) this.tell(letter);
    this.unconfirmed++;
    this.publish(letter).then(
      () => {
        this.ended();
        if (!this.epoch.ended) settled();
      },
      (failure: unknown) => {
        this.ended();
        this.failed(letter, settled, tries, failure);
      },
    );
  }

  /** Publishes a message and settles it once that is confirmed. Rejects when it is not. Nobody else waits for it. */
  async publish({ key, keyBytes, delivery, reason, error, attempts }: DeadLetter): Promise<void> {
    const { epoch } = this;
    await epoch.session.deadLetter(delivery, notes(reason, keyBytes, epoch, { error, attempts }));
    if (epoch.ended || key === undefined) return;
    epoch.environment.events.sink?.message('deadLettered', key, delivery, attempts, { reason });
  }

  /** The epoch has ended or is about to: what it is too late for is not tried again, and keeps no process. */
  close(): void {
    for (const [letter, timer] of this.waiting) {
      if (!this.isTooLate(letter)) continue;
      timer.cancel();
      this.waiting.delete(letter);
    }
  }

  private ended(): void {
    this.unconfirmed--;
    this.changed();
  }

  private tell(letter: DeadLetter): void {
    const { key, reason, error, attempts } = letter;
    const { environment } = this.epoch;
    let limit = this.limits.get(reason);
    if (limit === undefined) this.limits.set(reason, (limit = new LogLimit(environment.clock)));
    limit.tell((more, untold) => {
      const fields = this.fields(letter);
      const after = key === undefined || attempts === 0 ? '' : ` after ${describeAttempts(attempts)}`;
      environment.log.error(
        `The ${describeMessage(fields.messageId, fields.key, fields.shard)} is dead-lettered${after} (${reason}): ${describe(error)}${more}`,
        { event: 'deadLettered', ...fields, untold },
        error,
      );
    });
  }

  private failed(letter: DeadLetter, settled: () => void, tries: number, failure: unknown): void {
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
    const again = (): void => {
      this.waiting.delete(letter);
      this.send(letter, settled, tries + 1);
    };
    this.waiting.set(letter, clock.after(policy.ordinaryDelay(tries), again));
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
