import type { Subject } from 'rxjs';
import type { MississippiEvent } from '../../interfaces/events.interface.js';
import type { BenchNote } from '../../testing/bench-work.interface.js';
import { decodeShardingKey, keyBytes } from '../../keys/sharding-key.js';
import type { DeadLetterReason } from '../../note-headers.js';
import { runNeutrally } from './neutral-context.js';
import type { EngineTelemetry } from './engine-telemetry.js';
import type { EpochAddress, KeyAddress } from './key-address.js';

type EventOf<Type> = Extract<MississippiEvent, { readonly type: Type }>;
type ShardEventType = 'shardOwned' | 'shardLost' | 'shardReleased';
type MessageEventType = Extract<MississippiEvent, { readonly attempt: number }>['type'];
type KeyEventType = Exclude<MississippiEvent['type'], ShardEventType | MessageEventType>;

/** What the type, the key and the message of an event do not say already. */
type KeyDetails<Type> = Omit<EventOf<Type>, 'type' | 'key' | 'shard' | 'epoch'>;
type MessageDetails<Type> = Omit<KeyDetails<Type>, 'messageId' | 'attempt'>;
/** Left out where there is nothing more to say. */
type Optional<Details> = keyof Details extends never ? [] : [details: Details];

/**
 * Tells what happens, in order. Listeners hear it when what happened is complete: a call back into the service finds the
 * key as the event says, and never in the middle of a change.
 */
export class EventSink {
  private untold: MississippiEvent[] = [];

  constructor(
    private readonly subject: Subject<MississippiEvent>,
    private readonly telemetry: EngineTelemetry | undefined,
  ) {}

  shard(type: ShardEventType, { shard, number }: EpochAddress): void {
    this.telemetry?.happened(type);
    if (this.subject.observed) this.tell({ type, shard, epoch: number });
  }

  key<Type extends KeyEventType>(type: Type, key: KeyAddress, ...[details]: Optional<KeyDetails<Type>>): void {
    this.telemetry?.happened(type, whyOf(details));
    if (this.subject.observed) this.tell({ type, ...addressOf(key), ...details });
  }

  message<Type extends MessageEventType>(
    type: Type,
    key: KeyAddress,
    { messageId }: { readonly messageId: string | undefined },
    attempt: number,
    ...[details]: Optional<MessageDetails<Type>>
  ): void {
    this.telemetry?.happened(type, whyOf(details));
    if (this.subject.observed) this.tell({ type, ...addressOf(key), messageId, attempt, ...details });
  }

  /** A message that belongs to no key is dead-lettered, of which there is no event. */
  strayDeadLettered(reason: DeadLetterReason): void {
    this.telemetry?.happened('deadLettered', reason);
  }

  /** The compiler cannot see that a type and its own details make an event of that type. */
  private tell(event: object): void {
    this.untold.push(event as MississippiEvent);
    if (this.untold.length === 1) runNeutrally(() => queueMicrotask(() => this.flush()));
  }

  /** Something of a test bench, which stands where it belongs in time. */
  note(note: BenchNote): void {
    this.tell(note);
  }

  /** Tells what is left to tell, at once. */
  flush(): void {
    for (;;) {
      const events = this.untold;
      if (events.length === 0) return;
      this.untold = [];
      for (const event of events) this.subject.next(event);
    }
  }
}

/** What a type of event goes by besides, where it is one of a few. */
function whyOf(details: { readonly reason?: unknown; readonly mode?: unknown } | undefined): string | undefined {
  const why = details?.mode ?? details?.reason;
  return typeof why === 'string' ? why : undefined;
}

function addressOf({ id, epoch }: KeyAddress): object {
  return { key: decodeShardingKey(keyBytes(id)), shard: epoch.shard, epoch: epoch.number };
}

/** Gives the sink of events while somebody listens or counts, so that telling nobody costs a look and nothing else. */
export class EventSource {
  private readonly open: EventSink;

  constructor(
    private readonly subject: Subject<MississippiEvent>,
    private readonly telemetry: EngineTelemetry | undefined,
  ) {
    this.open = new EventSink(subject, telemetry);
  }

  /** Hears of everything until the returned function is called. It must not throw. */
  listen(heard: (event: MississippiEvent) => void): () => void {
    const subscription = this.subject.subscribe(heard);
    return () => subscription.unsubscribe();
  }

  /** Tells what is left to tell, and that nothing follows. */
  complete(): void {
    this.open.flush();
    this.subject.complete();
  }

  /** `undefined` while nobody listens or counts. */
  get sink(): EventSink | undefined {
    return this.subject.observed || this.telemetry?.active === true ? this.open : undefined;
  }
}
