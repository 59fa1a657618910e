import { keyBytes } from '../../keys/sharding-key.js';
import type { InboxEntry } from '../../store/store.interface.js';
import type { Delivery } from '../../transport/transport.interface.js';
import { itemOf } from './commit-item.js';
import { replayOf } from './finished-ids.js';
import { identityOf, InboxMark } from './inbox-mark.js';
import type { DurableInstance } from './durable-instance.js';
import { InboxGate } from './inbox-gate.js';
import type { OutboxSender } from './outbox-sender.js';
import type { ShardCommits } from './shard-commits.js';
import { StatesAhead, type Loaded } from './states-ahead.js';

/** A key that has nothing left of its own. */
interface LingeringKey {
  wake(): void;
}

/** What one epoch of one shard has of the store. */
export class DurableEpoch {
  readonly gate: InboxGate;
  /** Keys that have nothing left but what the answers under way may not know. */
  private readonly lingering = new Set<LingeringKey>();
  /** Until which ticket they are needed: of those that came last. */
  private lingersUntil = 0;
  /** Gives up what is asked of the store and not answered. */
  private readonly questions = new Set<(error: Error) => void>();
  private readonly ahead: StatesAhead;
  private ended: Error | undefined;

  constructor(
    readonly instance: DurableInstance,
    readonly commits: ShardCommits,
    readonly outbox: OutboxSender,
  ) {
    this.ahead = new StatesAhead(instance.link.clock);
    this.gate = new InboxGate(instance.inbox, () => {
      if (this.gate.oldest > this.lingersUntil) this.letGo();
    });
  }

  /** Loads the state of a key, unless it is loaded ahead already. */
  load(id: string, then: Loaded): void {
    if (!this.ahead.take(id, then)) this.ask(id, then);
  }

  /** Loads the state of a key of which nothing is here, since it will be needed. */
  loadAhead(id: string): void {
    const loaded = this.ahead.expect(id);
    if (loaded !== undefined) this.ask(id, loaded);
  }

  /** What was loaded ahead is not needed, or may be another from now on. */
  dropAhead(id: string): void {
    this.ahead.drop(id);
  }

  private ask(id: string, then: Loaded): void {
    if (this.ended !== undefined) {
      then(undefined, this.ended);
      return;
    }
    const giveUp = (error: Error): void => then(undefined, error);
    this.questions.add(giveUp);
    this.instance.states.ask(
      keyBytes(id),
      () => !this.questions.has(giveUp),
      (state) => {
        this.questions.delete(giveUp);
        then(state, undefined);
      },
    );
  }

  /**
   * Asks the inbox about a message that was read from the side queue, where nothing of its key is pending.
   * @param then not called when the epoch ends before
   * @param lost called then instead
   */
  lookUp(
    key: Uint8Array,
    { messageId, body, headers }: Delivery,
    then: (mark: InboxMark) => void,
    lost: (error: Error) => void = () => undefined,
  ): void {
    if (this.ended !== undefined) {
      lost(this.ended);
      return;
    }
    const identity = identityOf(key, messageId);
    const answer = (entry: InboxEntry | undefined): void =>
      then(new InboxMark(identity, body, replayOf(headers), 0, entry));
    if (identity === undefined) {
      answer(undefined);
      return;
    }
    this.questions.add(lost);
    this.instance.inbox.ask(
      identity,
      () => !this.questions.has(lost),
      (entry) => {
        this.questions.delete(lost);
        answer(entry);
      },
    );
  }

  /**
   * Commits nothing, to see whether the store takes commits.
   * @param then gets whether it took it at the first try; `false` too where the epoch ends before
   */
  probe(then: (well: boolean) => void): void {
    if (this.commits.over) {
      then(false);
      return;
    }
    let well = true;
    const forget = this.commits.whenOver(() => then(false));
    const tell = (): void => {
      forget();
      then(well);
    };
    const postponed = (): void => {
      well = false;
    };
    this.commits.add(itemOf({ probes: true }, { postponed, committed: tell, refused: tell }));
  }

  /** The key is needed until the questions that are under way are answered. */
  linger(key: LingeringKey): void {
    if (this.lingering.size === 0) this.lingersUntil = this.gate.last;
    this.lingering.add(key);
  }

  /** Nothing of it is taken in any more; what is pending is committed. */
  close(error: Error): void {
    this.gate.close(error);
    this.letGo();
  }

  /** The epoch is over: nothing is committed any more that is not under way. */
  end(error: Error): void {
    if (this.ended !== undefined) return;
    this.ended = error;
    this.gate.close(error);
    this.commits.end();
    this.outbox.stop();
    const waiting = [...this.questions];
    this.questions.clear();
    for (const giveUp of waiting) giveUp(error);
  }

  private letGo(): void {
    const keys = [...this.lingering];
    this.lingering.clear();
    for (const key of keys) key.wake();
  }
}
