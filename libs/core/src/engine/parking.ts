import { KeyNotParkedError } from '../errors/index.js';
import type { Delivery, ParkedMode, ParkedReader } from '../transport/transport.interface.js';
import { inspectKey, keyBytes } from '../keys/sharding-key.js';
import { notes, type ParkReason } from './notes.js';
import type { Shard } from './shard.js';
import type { DeliveredMessage } from './tracked-message.js';

/** The key that is parked. */
export interface ParkingHost {
  readonly id: string;
  /** Whether it could take a message now and has none. */
  readonly wantsMessage: boolean;
  /** Takes a message from the side queue. */
  fed(delivery: Delivery): void;
  /** Nothing of it is set aside any more. */
  unparked(): void;
}

/** What is set aside of one key: its messages go to the side queue and, when it is fed, come back in order. */
export class Parking {
  /** Messages of the key in the side queue. */
  stored = 0;
  /** Messages of the key on their way there. */
  moving = 0;
  /** Whether the key is handled from the side queue again. */
  feeding = false;
  private mode: ParkedMode = 'held';
  private reason: ParkReason = 'operator';
  private reader: ParkedReader | undefined;
  private reading = false;
  private dropping = false;

  constructor(
    private readonly shard: Shard,
    private readonly host: ParkingHost,
  ) {}

  get empty(): boolean {
    return this.stored === 0 && this.moving === 0;
  }

  /** Sets the key aside: held until it is resumed, or under pressure, in which it is fed at its next attempt. */
  enter(mode: ParkedMode, reason: ParkReason): void {
    this.mode = mode;
    this.reason = reason;
    this.feeding = mode === 'pressure';
    this.shard.emitKey('parked', this.host.id, { mode });
  }

  /** Takes over a message that a former owner of the shard left in the side queue. Held goes before pressure. */
  found(mode: ParkedMode): void {
    if (this.stored === 0 || mode === 'held') {
      this.mode = mode;
      this.reason = mode === 'held' ? 'operator' : 'pressure';
      this.feeding = mode === 'pressure';
    }
    this.stored++;
  }

  /** Feeds the key until nothing of it is left. Returns whether it was held. */
  resume(): boolean {
    if (this.feeding) return false;
    this.feeding = true;
    this.shard.emitKey('resumed', this.host.id);
    return true;
  }

  /** Moves a delivery to the end of what is set aside. */
  append(message: DeliveredMessage, failure: { error?: unknown; attempts?: number }): void {
    this.moving++;
    const note = notes(this.reason, {
      ...failure,
      shard: this.shard.index,
      time: this.time(),
      key: keyBytes(this.host.id),
    });
    this.shard.side.move(message, this.mode, note, () => {
      this.moving--;
      this.stored++;
      this.feed();
    });
  }

  /** Reads the next message, where the key is to be fed and has none at hand. */
  feed(): void {
    if (!this.feeding || this.dropping || !this.host.wantsMessage) return;
    if (this.empty) {
      this.end();
      return;
    }
    if (this.shard.closing) return;
    this.read(
      (delivery) => {
        if (this.feeding && !this.shard.closing) this.host.fed(delivery);
      },
      () => undefined, // The reader rejects when the epoch has ended; what it would have read stays in the side queue.
    );
  }

  /** A message has left the side queue for good. */
  settled(): void {
    this.stored--;
    this.shard.side.freed();
    if (this.empty && this.feeding) this.end();
  }

  /**
   * Dead-letters the first message.
   * @throws {KeyNotParkedError} while the key is fed, or when it has no message in the side queue
   */
  async drop(): Promise<void> {
    const refusal = (): Error => new KeyNotParkedError(inspectKey(keyBytes(this.host.id)));
    if (this.feeding || this.dropping) throw refusal();
    this.dropping = true;
    try {
      const delivery = await new Promise<Delivery>((resolve, reject) => {
        if (!this.read(resolve, reject)) reject(refusal());
      });
      const note = notes('dropped', { shard: this.shard.index, time: this.time(), key: keyBytes(this.host.id) });
      await this.shard.session.deadLetter(delivery, note);
      this.settled();
    } finally {
      this.dropping = false;
      this.feed();
    }
  }

  /** Leaves what was read and not settled in the side queue. */
  stopReading(): void {
    this.reader?.close();
    this.reader = undefined;
  }

  private time(): number {
    return this.shard.engine.clock.time();
  }

  private end(): void {
    this.stopReading();
    this.shard.emitKey('unparked', this.host.id);
    this.host.unparked();
  }

  /** Reads the key's first message, unless it is being read already or there is none yet. Returns whether it does. */
  private read(take: (delivery: Delivery) => void, failed: (error: unknown) => void): boolean {
    if (this.reading || this.stored === 0) return false;
    this.reading = true;
    this.reader ??= this.shard.session.readParked(keyBytes(this.host.id));
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
