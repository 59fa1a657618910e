import { randomUUID } from 'node:crypto';
import { describe } from '../../errors/describe.js';
import { SessionEndedError } from '../../errors/index.js';
import type { DeadLetterReason } from '../../note-headers.js';
import { keyBytes } from '../../keys/sharding-key.js';
import { isDiscard, type MessageOutcome } from '../../outcomes.js';
import type { InboxOutcome, OutboxMessage } from '../../store/store.interface.js';
import { NO_CHANGES, type Changes, type CommittedAt } from '../commits/commit-item.js';
import type { DurableEpoch } from '../commits/durable-epoch.js';
import type { Effect } from '../commits/key-commits.js';
import type { DeadLetters, LetterHooks } from './dead-letters.js';
import type { EpochState } from './epoch-state.js';
import { notes } from './notes.js';
import type { Refusal } from './refusal.js';
import type { SettledKey, Settlement } from './settlement.js';
import { DeliveredMessage, type DirectTrackedMessage, type TrackedMessage } from './tracked-message.js';

/** What becomes of a message, besides its settlement. */
interface Follow {
  /** Whether the message came from a FIFO, and goes back there when its commit is refused. */
  readonly returns: boolean;
  /** It is committed. */
  certain(): void;
  /** It is not, as far as this epoch will ever know. */
  lost(error: Error): void;
}

/** A message whose attempt has ended, until its commit. */
export class FinishedMessage implements Effect {
  constructor(
    private readonly epoch: EpochState,
    private readonly durable: DurableEpoch,
    private readonly key: SettledKey,
    readonly message: TrackedMessage,
    /** How many attempts it took. */
    readonly attempts: number,
    private readonly changes: Changes,
    /** What follows besides its settlement. */
    private readonly follow: Follow,
    /** Why it is in the dead letters, where it is. */
    readonly refusal: Refusal | undefined,
  ) {}

  get ticket(): number | undefined {
    return this.message.mark?.ticket;
  }

  committed(at: CommittedAt): void {
    const { durable, changes, key, message } = this;
    const id = changes.handled?.messageId;
    if (id !== undefined) key.commits!.finished.committed(id, durable.gate.last);
    durable.outbox.committed(at, changes.outbox);
    if (message instanceof DeliveredMessage) {
      if (!this.epoch.ended) this.epoch.session.settle(message.delivery);
      key.settled(message);
    }
    this.follow.certain();
  }

  abandoned(): void {
    void this.changes.transaction?.abandon();
    this.keepRows();
    this.follow.lost(new SessionEndedError(this.epoch.shard));
  }

  /** It is as if the attempt had not been. */
  undone(error: Error): void {
    void this.changes.transaction?.abandon();
    const id = this.changes.handled?.messageId;
    if (id !== undefined) this.key.commits!.finished.remove(id);
    this.keepRows();
    if (!this.returns) this.follow.lost(error);
  }

  /** Whether it goes back to its key's FIFO when it is undone. */
  get returns(): boolean {
    return this.follow.returns;
  }

  /** Whether somebody, or the broker, waits for it. */
  get isAwaited(): boolean {
    const { message } = this;
    return message instanceof DeliveredMessage || (message as DirectTrackedMessage).awaited;
  }

  /** It is to be finished again, and its rows of the outbox with it. */
  private keepRows(): void {
    const { message } = this;
    if (message instanceof DeliveredMessage) {
      this.durable.instance.keepRows(this.key.id, message.messageId, this.changes.sent);
    }
  }
}

/** What the inbox says of a message in the dead letters. The entry of a conflicting id is another message's. */
function outcomeOf(reason: DeadLetterReason): InboxOutcome | undefined {
  switch (reason) {
    case 'message_id_conflict':
      return undefined;
    case 'attempts_exhausted':
      return 'exhausted';
    case 'dropped':
      return 'dropped';
    default:
      return 'discarded';
  }
}

/** Settles what is committed. */
export class DurableSettlement implements Settlement {
  constructor(
    private readonly epoch: EpochState,
    private readonly durable: DurableEpoch,
    private readonly deadLetters: DeadLetters,
  ) {}

  handled(
    key: SettledKey,
    message: TrackedMessage,
    outcome: MessageOutcome<unknown>,
    attempts: number,
    changes: Changes,
  ): void {
    const { events } = this.epoch.environment;
    const direct = message instanceof DeliveredMessage ? undefined : (message as DirectTrackedMessage);
    const refused = isDiscard(outcome) ? describe(outcome.reason) : undefined;
    this.finish(
      key,
      message,
      attempts,
      changes,
      attempts === 0 ? undefined : refused === undefined ? 'handled' : 'discarded',
      {
        returns: true,
        certain: () => {
          if (refused !== undefined) events.sink?.message('discarded', key, message, attempts, { reason: refused });
          else if (attempts > 0) events.sink?.message('handled', key, message, attempts);
          direct?.resolve(outcome);
        },
        lost: (error) => direct?.reject(error),
      },
      undefined,
    );
  }

  refused(key: SettledKey, message: DeliveredMessage, refusal: Refusal, hooks: LetterHooks, changes: Changes): void {
    const { reason, attempts } = refusal;
    const { delivery } = message;
    const { events } = this.epoch.environment;
    this.deadLetters.tell({ key, keyBytes: keyBytes(key.id), delivery, ...refusal });
    const letter: OutboxMessage = {
      kind: 'deadLetter',
      source: keyBytes(key.id),
      key: keyBytes(key.id),
      messageId: delivery.messageId ?? randomUUID(),
      timestamp: delivery.timestamp,
      headers: { ...delivery.headers, ...notes(reason, keyBytes(key.id), this.epoch, refusal), ...refusal.noted },
      body: delivery.body,
      properties: delivery.properties,
    };
    this.finish(
      key,
      message,
      attempts,
      { ...changes, outbox: [...changes.outbox, letter] },
      outcomeOf(reason),
      {
        returns: hooks.lost === undefined,
        certain: () => {
          if (reason === 'discarded') {
            events.sink?.message('discarded', key, delivery, attempts, { reason: describe(refusal.error) });
          }
          events.sink?.message('deadLettered', key, delivery, attempts, { reason });
          hooks.settled();
        },
        lost: (error) => hooks.lost?.(error),
      },
      refusal,
    );
  }

  noted(key: SettledKey, message: DeliveredMessage, refusal: Refusal): void {
    const follow = { returns: false, certain: () => undefined, lost: () => undefined };
    const settled = { id: key.id, epoch: key.epoch, commits: key.commits, settled: () => undefined };
    this.finish(settled, message, refusal.attempts, NO_CHANGES, outcomeOf(refusal.reason), follow, refusal);
  }

  private finish(
    key: SettledKey,
    message: TrackedMessage,
    attempts: number,
    changes: Changes,
    outcome: InboxOutcome | undefined,
    follow: Follow,
    refusal: Refusal | undefined,
  ): void {
    const { durable } = this;
    const handled = outcome === undefined ? undefined : message.mark?.finishedAs(outcome);
    if (handled !== undefined) key.commits!.finished.add(handled.messageId, handled);
    // A conflict has a row of its own.
    const rows = message instanceof DeliveredMessage ? durable.instance.rowsOf(key.id, message.messageId) : [];
    const sent = rows.length === 0 ? changes.sent : [...changes.sent, ...rows];
    const all = { ...changes, handled, sent };
    key.commits!.add(all, new FinishedMessage(this.epoch, durable, key, message, attempts, all, follow, refusal));
  }
}
