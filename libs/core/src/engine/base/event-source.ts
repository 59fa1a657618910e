import type { Subject } from 'rxjs';
import type { MississippiEvent } from '../../interfaces/events.interface.js';
import type { BenchNote } from '../../testing/bench-work.interface.js';
import { decodeShardingKey, keyBytes } from '../../keys/sharding-key.js';
import { runNeutrally } from './neutral-context.js';
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

  constructor(private readonly subject: Subject<MississippiEvent>) {}

  shard(type: ShardEventType, { shard, number }: EpochAddress): void {
    this.tell({ type, shard, epoch: number });
  }

  key<Type extends KeyEventType>(type: Type, key: KeyAddress, ...[details]: Optional<KeyDetails<Type>>): void {
    this.tell({ type, ...addressOf(key), ...details });
  }

  message<Type extends MessageEventType>(
    type: Type,
    key: KeyAddress,
    { messageId }: { readonly messageId: string | undefined },
    attempt: number,
    ...[details]: Optional<MessageDetails<Type>>
  ): void {
    this.tell({ type, ...addressOf(key), messageId, attempt, ...details });
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

function addressOf({ id, epoch }: KeyAddress): object {
  return { key: decodeShardingKey(keyBytes(id)), shard: epoch.shard, epoch: epoch.number };
}

/** Gives the sink of events while somebody listens, so that telling nobody costs a look and nothing else. */
export class EventSource {
  private readonly open: EventSink;

  constructor(private readonly subject: Subject<MississippiEvent>) {
    this.open = new EventSink(subject);
  }

  /** Tells what is left to tell, and that nothing follows. */
  complete(): void {
    this.open.flush();
    this.subject.complete();
  }

  /** `undefined` while nobody listens. */
  get sink(): EventSink | undefined {
    return this.subject.observed ? this.open : undefined;
  }
}
