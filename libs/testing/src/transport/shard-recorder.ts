import type { ShardConsumer, ShardSession } from '@mississippi/core/transport';
import { RecordedSession, type RecordedSessionOptions } from './recorded-session.js';

/** @publicApi */
export interface ShardRecorderOptions extends RecordedSessionOptions {
  /** Who owns each shard. Recorders that share it note a second owner as a fault. */
  readonly owners?: Map<number, RecordedSession>;
  /**
   * Called before a session is opened. The opening waits for the promise that this returns, and is refused when it
   * rejects. Without a promise the session is open at once.
   */
  readonly onOpen?: (session: RecordedSession) => Promise<void> | undefined;
}

/**
 * A consumer that handles nothing and notes everything: sessions, deliveries, losses, and what a transport must not do.
 * @publicApi
 */
export class ShardRecorder implements ShardConsumer {
  /** Every session that was opened or refused, in order. */
  readonly sessions: RecordedSession[] = [];
  private readonly owners: Map<number, RecordedSession>;
  private crashed = false;

  constructor(private readonly options: ShardRecorderOptions) {
    this.owners = options.owners ?? new Map<number, RecordedSession>();
  }

  open(session: ShardSession): RecordedSession | Promise<RecordedSession> {
    const recorded = this.record(session);
    const opening = this.options.onOpen?.(recorded);
    return opening === undefined ? recorded : this.opening(recorded, opening);
  }

  /** The sessions that are open. */
  get owned(): RecordedSession[] {
    return this.sessions.filter((session) => session.isOpen);
  }

  /** Resolves with the shard's open session as soon as there is one; its opening may still be under way. */
  session(shard: number): Promise<RecordedSession> {
    const { name, journal } = this.options;
    return journal.until(`${name} to open shard ${shard}`, () =>
      this.sessions.findLast((session) => session.shard === shard && session.isOpen),
    );
  }

  /** Resolves when so many sessions are open. */
  opened(count: number): Promise<RecordedSession[]> {
    const { name, journal } = this.options;
    return journal.until(`${name} to own ${count} shards`, () => this.owned.length >= count && this.owned);
  }

  /** Settles a message of a shard if it has been delivered. Returns whether it was. */
  settleOf(shard: number, messageId: string): boolean {
    for (const session of this.sessions) {
      if (session.shard !== shard) continue;
      const delivery = session.deliveries.findLast((delivery) => delivery.messageId === messageId);
      if (delivery === undefined) continue;
      if (session.isUnsettled(delivery)) session.settle(delivery);
      return true;
    }
    return false;
  }

  /** The connection is being closed: its sessions may be lost from now on. */
  closing(): void {
    for (const session of this.sessions) session.losing();
  }

  /** The connection is being killed: nothing that it says matters any more. */
  crash(): void {
    for (const session of this.sessions) session.crash();
  }

  /** The connection is dead and must stay so. */
  dead(): void {
    this.crashed = true;
  }

  private async opening(recorded: RecordedSession, opening: Promise<void>): Promise<RecordedSession> {
    try {
      await opening;
      return recorded;
    } catch (error) {
      recorded.refuse();
      throw error;
    }
  }

  private record(session: ShardSession): RecordedSession {
    const { name, journal } = this.options;
    const epoch = this.sessions.filter(({ shard }) => shard === session.shard).length + 1;
    const recorded = new RecordedSession(session, epoch, this.options);
    if (this.crashed) {
      journal.fault(`${name} opened shard ${session.shard} after its crash: the harness must end it for good`);
      return recorded;
    }
    const owner = this.owners.get(session.shard);
    if (owner?.isOpen === true) {
      journal.fault(`${name} opened shard ${session.shard} while ${owner.name} owned it`);
    }
    this.owners.set(session.shard, recorded);
    this.sessions.push(recorded);
    journal.note(`${name} opened shard ${session.shard}, epoch ${epoch}, ${recorded.parked.length} parked`);
    return recorded;
  }
}
