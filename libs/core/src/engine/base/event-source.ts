import type { Subject } from 'rxjs';
import type { MississippiEvent } from '../../interfaces/events.interface.js';
import { decodeShardingKey, keyBytes } from '../../keys/sharding-key.js';
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

/** Tells what happens. A listener that throws does not reach the engine: RxJS reports it on the next round of the event loop. */
export class EventSink {
  constructor(private readonly subject: Subject<MississippiEvent>) {}

  shard(type: ShardEventType, { shard, number }: EpochAddress): void {
    this.subject.next({ type, shard, epoch: number });
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
    this.subject.next(event as MississippiEvent);
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

  /** `undefined` while nobody listens. */
  get sink(): EventSink | undefined {
    return this.subject.observed ? this.open : undefined;
  }
}
