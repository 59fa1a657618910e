import type { Timer } from '../../clock/clock.interface.js';
import { describeWithCause } from '../../errors/describe.js';
import type { MississippiEvent } from '../../interfaces/events.interface.js';
import type { RecentEvent } from '../../interfaces/operator.interface.js';
import { encodeShardingKey, keyId } from '../../keys/sharding-key.js';
import type { Environment } from '../base/environment.js';
import { textFor } from './shown-error.js';

/** How long events of a key are noted after somebody asked. Milliseconds. */
const LEASE = 10_000;
/** Events of a key that are kept, the newest. */
const MOST_EVENTS = 50;

type KeysEvent = Exclude<MississippiEvent, { readonly type: 'shardOwned' | 'shardLost' | 'shardReleased' }>;

/** What happens to the keys that somebody watches. Events are listened to only while there is one. */
export class KeyWatches {
  private readonly watched = new Map<string, Watched>();
  private stop: (() => void) | undefined;

  constructor(private readonly environment: Environment) {}

  /** What was noted of a key since somebody began to ask, the oldest first; it is noted for a while longer. */
  look(shard: number, id: string): readonly RecentEvent[] {
    const watched = this.watched.get(id) ?? { shard, events: [], count: 0, timer: undefined };
    watched.timer?.cancel();
    watched.timer = this.environment.clock.after(LEASE, () => this.forget(id), true);
    this.watched.set(id, watched);
    this.stop ??= this.environment.events.listen((event) => this.heard(event));
    return watched.events;
  }

  private forget(id: string): void {
    this.watched.delete(id);
    if (this.watched.size > 0) return;
    this.stop?.();
    this.stop = undefined;
  }

  /** The shard first: to spell a key takes longer than to compare two numbers. */
  private heard(event: MississippiEvent): void {
    if (!('key' in event) || !this.isWatched(event.shard)) return;
    const watched = this.watched.get(keyId(encodeShardingKey(event.key)));
    if (watched === undefined) return;
    const noted = { number: ++watched.count, at: this.environment.clock.time(), ...shown(event) };
    watched.events = [...watched.events, noted].slice(-MOST_EVENTS);
  }

  private isWatched(shard: number): boolean {
    for (const watched of this.watched.values()) if (watched.shard === shard) return true;
    return false;
  }
}

interface Watched {
  readonly shard: number;
  events: readonly RecentEvent[];
  count: number;
  timer: Timer | undefined;
}

function shown(event: KeysEvent): Omit<RecentEvent, 'number' | 'at'> {
  const { type } = event;
  return {
    type,
    messageId: 'messageId' in event ? event.messageId : undefined,
    attempt: 'attempt' in event ? event.attempt : undefined,
    text: textOf(event),
  };
}

/** What an event says besides. */
function textOf(event: KeysEvent): string | undefined {
  switch (event.type) {
    case 'retried':
      return `in ${Math.round(event.delay)} ms: ${textFor(event.error)}`;
    case 'startFailed':
    case 'exhausted':
    case 'abandoned':
      return textFor(event.error);
    case 'discarded':
    case 'deadLettered':
      return event.reason;
    case 'deactivated':
      return describeWithCause(event.reason);
    case 'parked':
      return event.mode;
    default:
      return undefined;
  }
}
