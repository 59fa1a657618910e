import type { Clock } from '@mississippi/core/transport';
import { NOTHING_PAUSED, type TypePauses } from './pauses.js';
import type { CoordinatorBroker, Mail } from './ports.js';

/**
 * How often what is kept is written anew: a quorum queue keeps everything that came after the oldest message which is not settled
 * (RabbitMQ 3.10, 4.0). Milliseconds.
 */
const RENEW = 60_000;
/** How soon what the broker did not take, or did not bring back, is written again. Milliseconds. */
const AGAIN = 1_000;

/**
 * Which types are paused, kept in the coordinator's own queue: a message that no coordinator settles before it has a newer one. So the
 * next one gets it with its first deliveries, when the broker was restarted too.
 */
export class PauseKeeper {
  private known = NOTHING_PAUSED;
  /** What the queue has, unsettled. */
  private copy: { readonly pauses: TypePauses; readonly mail: Mail } | undefined;
  /** The newest version that the broker has safely. */
  private safe = 0;
  /** When the queue was last given what it is to keep, or has brought it. */
  private writtenAt = -Infinity;
  /** What was written last that was to follow, and when. */
  private decided: { readonly version: number; readonly at: number } | undefined;

  constructor(
    private readonly broker: Pick<CoordinatorBroker, 'keep'>,
    private readonly clock: Clock,
    private readonly hooks: { readonly changed: () => void; readonly failed: (error: unknown) => void },
  ) {}

  /** The newest that anybody knows. */
  get pauses(): TypePauses {
    return this.known;
  }

  /** Whether a version outlives this process. */
  isSafe({ version }: TypePauses): boolean {
    return this.safe >= version && this.known.version >= version;
  }

  /** The queue has brought what it keeps. */
  kept(pauses: TypePauses, mail: Mail): void {
    const { copy } = this;
    if (copy !== undefined && !follows(pauses, copy.pauses)) {
      mail.settle();
      return;
    }
    copy?.mail.settle();
    this.copy = { pauses, mail };
    this.writtenAt = this.clock.now();
    if (mail.again) this.safe = Math.max(this.safe, pauses.version);
    this.heard(pauses);
  }

  /** Somebody knows of it: a member, where the queue was deleted with what it kept. */
  heard(pauses: TypePauses): void {
    if (pauses.version <= this.known.version) return;
    this.known = pauses;
    this.hooks.changed();
  }

  /** Writes what is to follow. It counts when the queue brings it. */
  decide(pauses: TypePauses): void {
    const { version } = pauses;
    const now = this.clock.now();
    if (this.decided?.version === version && now - this.decided.at < AGAIN) return;
    this.decided = { version, at: now };
    this.write(pauses);
  }

  /** Has the queue keep what is known, where it does not, or has for long. */
  look(): void {
    const { known, copy, clock } = this;
    if (known.version === 0) return;
    const isCurrent = copy?.pauses.version === known.version && this.isSafe(known);
    if (clock.now() - this.writtenAt < (isCurrent ? RENEW : AGAIN)) return;
    this.write(known);
  }

  private write(pauses: TypePauses): void {
    this.writtenAt = this.clock.now();
    this.broker.keep(pauses).then(
      () => {
        this.safe = Math.max(this.safe, pauses.version);
        this.hooks.changed();
      },
      (error: unknown) => this.hooks.failed(error),
    );
  }
}

/** Whether one takes the place of another: a newer one, or the same written anew. Of two that differ in one version the first counts. */
function follows(one: TypePauses, other: TypePauses): boolean {
  if (one.version !== other.version) return one.version > other.version;
  return one.types.length === other.types.length && one.types.every((type, index) => type === other.types[index]);
}
