import type { Clock } from '@mississippi/core/transport';
import type { MemberBroker, MemberShards } from './ports.js';

/** How many shards all members together look at in a second, and how many while nobody coordinates. */
const RARELY = 10;
const ALONE = 200;
/** A shard that is free for so long is taken by anybody. Milliseconds. */
const FORSAKEN = 1_500;

/** Looks now and then, in turn, whether a shard has no owner though nobody tells so; and takes it. */
export class SafetySweep {
  /** Those that are still to be looked at, in this round. */
  private round: number[] = [];
  /** When those that seemed free are looked at again. */
  private readonly suspects = new Map<number, number>();
  private lookedAt: number;
  /** Looks that are due. */
  private due = 0;

  constructor(
    private readonly total: number,
    private readonly broker: Pick<MemberBroker, 'consumers'>,
    private readonly shards: MemberShards,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {
    this.lookedAt = clock.now();
  }

  /**
   * @param alone whether nobody coordinates
   * @param members how many share the work
   */
  async look(alone: boolean, members: number): Promise<void> {
    const now = this.clock.now();
    this.due += ((now - this.lookedAt) / 1_000) * ((alone ? ALONE : RARELY) / members);
    this.due = Math.min(this.due, this.total);
    this.lookedAt = now;
    for (const [shard, at] of this.suspects) if (now >= at) await this.lookAgain(shard);
    for (; this.due >= 1; this.due--) await this.lookAtNext();
  }

  private async lookAtNext(): Promise<void> {
    const shard = this.next();
    if (shard === undefined || this.isOurs(shard) || this.suspects.has(shard)) return;
    if ((await this.broker.consumers(shard)) !== 0) return;
    this.suspects.set(shard, this.clock.now() + FORSAKEN * (1 + this.random() / 5));
  }

  private async lookAgain(shard: number): Promise<void> {
    this.suspects.delete(shard);
    const { shards } = this;
    if (this.isOurs(shard) || shards.owned.length >= shards.most) return;
    if ((await this.broker.consumers(shard)) === 0) await shards.claim([shard], []);
  }

  private isOurs(shard: number): boolean {
    return this.shards.owned.includes(shard) || this.shards.unable.includes(shard);
  }

  /** Each once a round, in random order. */
  private next(): number | undefined {
    if (this.round.length === 0) this.round = Array.from({ length: this.total }, (_, shard) => shard);
    const at = Math.floor(this.random() * this.round.length);
    const shard = this.round[at]!;
    this.round[at] = this.round.at(-1)!;
    this.round.pop();
    return shard;
  }
}
