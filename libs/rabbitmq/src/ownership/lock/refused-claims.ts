import type { Clock } from '@mississippi/core/transport';
import type { LazyChannel } from '../../connection/lazy-channel.js';
import type { Topology } from '../../topology/topology.js';
import type { RareWarnings } from '../rare-warnings.js';

/** For how long the claims of a shard are refused until that is told. Milliseconds. */
const LONG = 30_000;
/** Refusals that lie further apart are not of the same trouble: a shard that is refused again and again rests up to 30 s. Milliseconds. */
const APART = 45_000;
/** As few may be of owners that came one after the other. */
const FEW = 4;

export interface RefusedClaimsParts {
  readonly survey: LazyChannel;
  readonly topology: Topology;
  readonly clock: Clock;
  readonly warnings: Pick<RareWarnings, 'warnOf'>;
}

/** Shards whose lock somebody has who does not consume them: no process serves such a shard, and none can. */
export class RefusedClaims {
  private readonly refusals = new Map<number, { readonly first: number; last: number; count: number }>();

  constructor(private readonly parts: RefusedClaimsParts) {}

  /** A claim was refused. Tells of it when that has gone on for long. */
  async refused(shard: number): Promise<void> {
    const now = this.parts.clock.now();
    const before = this.refusals.get(shard);
    if (before === undefined || now - before.last > APART) {
      this.refusals.set(shard, { first: now, last: now, count: 1 });
      return;
    }
    before.last = now;
    before.count++;
    if (now - before.first >= LONG && before.count > FEW) await this.tell(shard);
  }

  /** A claim was not refused. */
  forget(shard: number): void {
    this.refusals.delete(shard);
  }

  private async tell(shard: number): Promise<void> {
    const { survey, topology, warnings } = this.parts;
    const { consumerCount } = await topology.declareShard(await survey.get(), shard);
    if (consumerCount > 0) return; // Its owner is at work.
    warnings.warnOf(
      'refused',
      shard,
      `Nobody consumes shard ${shard}, and yet somebody has held its lock '${topology.names.lock(shard)}' for ${LONG / 1_000} s: end who consumes that queue. ` +
        `What a process of an earlier release held on a node that was lost stays until the node returns or is forgotten (RabbitMQ 4.2 or newer).`,
    );
  }
}
