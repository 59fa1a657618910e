import type { Delivery, ParkedMode, ParkedReader } from '../interfaces/transport.interface.js';
import type { ParkReason } from './notes.js';

/** What is set aside of one key: how many, why, and whether they are being fed back. */
export class Parking {
  /** Messages of the key in the side queue. */
  stored = 0;
  /** Messages of the key on their way there. */
  moving = 0;
  /** Whether the key is handled from the side queue again. */
  feeding: boolean;
  reason: ParkReason;
  private reader: ParkedReader | undefined;
  private reading = false;

  constructor(
    public mode: ParkedMode,
    private readonly open: () => ParkedReader,
  ) {
    this.feeding = mode === 'pressure';
    this.reason = mode === 'pressure' ? 'pressure' : 'operator';
  }

  get empty(): boolean {
    return this.stored === 0 && this.moving === 0;
  }

  /** Reads the key's first message, unless it is being read already or there is none yet. Returns whether it does. */
  read(take: (delivery: Delivery) => void, failed: (error: unknown) => void): boolean {
    if (this.reading || this.stored === 0) return false;
    this.reading = true;
    this.reader ??= this.open();
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

  /** Leaves what was read and not settled in the side queue. */
  stopReading(): void {
    this.reader?.close();
    this.reader = undefined;
  }
}
