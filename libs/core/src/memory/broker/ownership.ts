import type { Admission } from './admission.js';
import type { DeadLetters } from './dead-letters.js';
import type { MemoryMember } from './memory-member.js';
import { MemorySession } from './memory-session.js';
import type { MemoryShard } from './memory-shard.js';

/** Who takes part, and who owns which shard. */
export class Ownership {
  private readonly members = new Set<MemoryMember>();
  /** The last session of each shard, which owns it until it has ended. */
  private readonly sessions: (MemorySession | undefined)[] = [];

  constructor(
    private readonly shards: readonly MemoryShard[],
    private readonly admission: Admission,
    private readonly deadLetters: DeadLetters,
  ) {}

  /** Whether anybody claims. */
  get claimed(): boolean {
    return this.members.size > 0;
  }

  ownerOf(shard: number): MemorySession | undefined {
    const session = this.sessions[shard];
    return session?.ended === false ? session : undefined;
  }

  /** How many shards a member owns. */
  ownedBy(member: MemoryMember): number {
    return this.sessionsOf(member).length;
  }

  /** The member claims from now on, behind those that do already. */
  join(member: MemoryMember): void {
    this.members.add(member);
    for (const shard of this.shards) this.offer(shard);
  }

  /** The member claims no more, and keeps what it owns. */
  leave(member: MemoryMember): void {
    this.members.delete(member);
  }

  /** The member claims no more, and hands over what it owns, in the background: handlers may take their time. */
  withdraw(member: MemoryMember): void {
    this.leave(member);
    for (const session of this.sessionsOf(member)) void session.handOver();
  }

  /** The member is gone: its sessions are lost. */
  expel(member: MemoryMember, cause: Error): void {
    this.leave(member);
    for (const session of this.sessionsOf(member)) session.lose(cause);
  }

  /** Gives a shard without an owner to the first member that claims. */
  offer(shard: MemoryShard): void {
    const [member] = this.members;
    if (member === undefined || this.ownerOf(shard.index) !== undefined) return;
    const freed = (): void => this.freed(shard, session);
    const session: MemorySession = new MemorySession(shard, member, this.admission, this.deadLetters, freed);
    this.sessions[shard.index] = session;
    void session.begin();
  }

  /** A session that has ended is not kept, since it would keep its consumer's whole epoch. */
  private freed(shard: MemoryShard, session: MemorySession): void {
    if (this.sessions[shard.index] === session) this.sessions[shard.index] = undefined;
    queueMicrotask(() => this.offer(shard));
  }

  private sessionsOf(member: MemoryMember): MemorySession[] {
    return this.sessions.filter((session) => session?.member === member && !session.ended) as MemorySession[];
  }
}
