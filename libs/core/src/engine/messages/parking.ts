import { Fifo } from '../../collections/fifo.js';
import { HeadChangedError, KeyNotParkedError, type ParkedState } from '../../errors/index.js';
import { keyBytes } from '../../keys/sharding-key.js';
import { ack } from '../../outcomes.js';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import { NOTE_HEADERS, type ParkReason } from '../../note-headers.js';
import type { Delivery, ParkedEntry, ParkedMode, ParkedReader } from '../../transport/transport.interface.js';
import { keyTextOf } from '../base/key-text.js';
import { NO_CHANGES } from '../commits/commit-item.js';
import type { InboxMark } from '../commits/inbox-mark.js';
import { notes, type FailureNote } from './notes.js';
import { ParkedMessage } from './parked-message.js';
import type { TrackedKey } from './tracked-key.js';
import { DeliveredMessage } from './tracked-message.js';

/** The key that is parked. */
export interface ParkedKey {
  readonly key: TrackedKey;
  /** Whether it could take a message now and has none. */
  readonly wantsMessage: boolean;
  /** Takes a message from the side queue. */
  fed(delivery: Delivery): void;
  /** Nothing of it is in the side queue any more. */
  unparked(): void;
}

/** What is parked of one key: its messages go to the side queue and, when it is fed, come back in order. */
export class Parking {
  /** Messages of the key in the side queue. */
  stored = 0;
  /** Whether the key is handled from the side queue again. */
  feeding = false;
  private mode: ParkedMode = 'held';
  private reason: ParkReason = 'operator';
  /** The type at a message of which it was parked, where that is why. */
  pausedType: string | undefined;
  private reader: ParkedReader | undefined;
  private reading = false;
  private dropping = false;
  /** Nothing of the key was left: what it is parked for next is none of this one's business. */
  private over = false;
  /** What is in the side queue, or on its way there, in order. */
  private readonly messages = new Fifo<ParkedMessage>();

  constructor(private readonly parked: ParkedKey) {}

  get state(): ParkedState {
    if (!this.feeding) return 'held';
    return this.mode === 'pressure' ? 'pressure' : 'resuming';
  }

  /** Messages of the key in the side queue, or on their way there. */
  get length(): number {
    return this.messages.length;
  }

  /** The first of them. */
  get first(): ParkedMessage | undefined {
    return this.messages.peek();
  }

  /** Parks the key: held until it is resumed, or under pressure, in which it is fed at its next attempt. */
  enter(mode: ParkedMode, reason: ParkReason, pausedType?: string): void {
    const { key } = this.parked;
    this.mode = mode;
    this.reason = reason;
    this.pausedType = pausedType;
    this.feeding = mode === 'pressure';
    key.epoch.environment.events.sink?.key('parked', key, { mode });
  }

  /** Takes over a message that a previous owner of the shard left in the side queue. Held goes before pressure. */
  found(mode: ParkedMode, { messageId, type, notes: noted }: Omit<ParkedEntry, 'mode'>): void {
    if (this.stored === 0 || (mode === 'held' && this.mode !== 'held')) {
      this.mode = mode;
      this.reason = mode === 'held' ? heldFor(noted) : 'pressure';
      this.feeding = mode === 'pressure';
    }
    this.stored++;
    this.messages.push(new ParkedMessage(messageId, type, noted, this.parked.key.epoch.environment.clock));
  }

  /** Feeds the key until nothing of it is left. Returns whether it was held. */
  resume(): boolean {
    const { key } = this.parked;
    if (this.feeding) return false;
    this.feeding = true;
    key.epoch.environment.events.sink?.key('resumed', key);
    return true;
  }

  /** Moves a delivery to the end of what is parked. */
  append(message: DeliveredMessage, failure: FailureNote = {}): void {
    const { key } = this.parked;
    const note = notes(this.reason, keyBytes(key.id), key.epoch, failure);
    const { clock } = key.epoch.environment;
    this.messages.push(new ParkedMessage(message.messageId, message.properties?.type, note, clock));
    key.epoch.side.move(message, this.mode, note, () => {
      this.stored++;
      this.feed();
    });
  }

  /** Reads the next message, where the key is to be fed and has none at hand. */
  feed(): void {
    const { parked } = this;
    if (this.over || !this.feeding || this.dropping || !parked.wantsMessage) return;
    if (this.length === 0) {
      this.end();
      return;
    }
    if (parked.key.epoch.phase !== 'open') return;
    this.read(
      (delivery) => {
        if (parked.key.epoch.phase !== 'open') return;
        if (this.feeding) parked.fed(delivery);
        else this.stopReading(); // The key was parked again meanwhile, and nobody is to sit on what was read.
      },
      () => undefined, // The reader rejects when the epoch has ended; what it would have read stays in the side queue.
    );
  }

  /** A message has left the side queue for good. */
  settled(): void {
    this.stored--;
    this.messages.shift();
    this.parked.key.epoch.side.freed();
    if (this.length === 0 && this.feeding) this.end();
  }

  /** Why the key was parked last. */
  get why(): ParkReason {
    return this.reason;
  }

  /**
   * Dead-letters the first message.
   * @param expected its id, where another one is to be left alone
   * @param awaited where the key waits under pressure for that message, with nothing of it at hand: called once the message has left
   * @throws {KeyNotParkedError} while the key is fed, unless it waits, or when it has no message in the side queue
   * @throws {HeadChangedError} when another message comes first
   */
  async drop(expected?: string, awaited?: () => void): Promise<void> {
    const { key } = this.parked;
    const refusal = (): Error => new KeyNotParkedError(keyTextOf(key), 'drop', this.state);
    if (this.dropping || (this.feeding && awaited === undefined)) throw refusal();
    this.dropping = true;
    try {
      const delivery = await new Promise<Delivery>((resolve, reject) => {
        if (!this.read(resolve, reject)) reject(refusal());
      });
      const { messageId } = delivery;
      if (expected !== undefined && messageId !== expected)
        throw new HeadChangedError(keyTextOf(key), expected, messageId);
      await this.refuse(delivery, awaited);
    } finally {
      this.dropping = false;
      if (!this.feeding || awaited !== undefined) this.stopReading();
      this.feed();
    }
  }

  /** Dead-letters a message that was read; resolves when it has left the side queue. */
  private async refuse(delivery: Delivery, left: () => void = () => undefined): Promise<void> {
    const { key } = this.parked;
    const { durable, settlement, environment } = key.epoch;
    const settled = (): void => {
      left();
      this.settled();
    };
    const unknown = { error: undefined, attempts: 0, noted: this.first?.failure };
    if (durable === undefined) {
      const letter = { key, keyBytes: keyBytes(key.id), delivery, ...unknown };
      await key.epoch.deadLetters.publish({ ...letter, reason: 'dropped' });
      settled();
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const drop = (mark: InboxMark): void => {
        const message = new DeliveredMessage(environment.round.time, delivery, true, false);
        message.mark = mark;
        const verdict = mark.verdict(key.commits!);
        const reason = verdict === 'conflict' ? 'message_id_conflict' : 'dropped';
        const dropped = { id: key.id, epoch: key.epoch, commits: key.commits, settled };
        if (verdict === 'repeat') {
          settlement.handled(dropped, message, ack(), 0, NO_CHANGES);
          resolve();
        } else {
          const refusal = { reason, ...unknown } as const;
          settlement.refused(dropped, message, refusal, { settled: resolve, lost: reject }, NO_CHANGES);
        }
      };
      durable.lookUp(keyBytes(key.id), delivery, drop, reject);
    });
  }

  /** Leaves what was read and not settled in the side queue. */
  stopReading(): void {
    this.reader?.close();
    this.reader = undefined;
  }

  private end(): void {
    const { key } = this.parked;
    this.over = true;
    this.stopReading();
    key.epoch.environment.events.sink?.key('unparked', key);
    this.parked.unparked();
  }

  /** Reads the key's first message, unless it is being read already or there is none yet. Returns whether it does. */
  private read(take: (delivery: Delivery) => void, failed: (error: unknown) => void): boolean {
    const { key } = this.parked;
    if (this.reading || this.stored === 0) return false;
    this.reading = true;
    this.reader ??= key.epoch.session.readParked(keyBytes(key.id));
    // The reading ends in the same moment as its message is taken: in between, another would read the message again.
    this.reader.next().then(
      (delivery) => {
        this.reading = false;
        take(delivery);
      },
      (error: unknown) => {
        this.reading = false;
        failed(error);
      },
    );
    return true;
  }
}

/** Why a previous owner had held a key, as it was noted. What its next owner tries again is not among that. */
function heldFor({ [NOTE_HEADERS.reason]: reason }: MessageHeaders): ParkReason {
  return reason === 'attempts_exhausted' || reason === 'error_rule' ? reason : 'operator';
}
