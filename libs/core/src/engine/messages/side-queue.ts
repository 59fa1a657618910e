import type { ParkedMode, ShardSession } from '../../transport/transport.interface.js';
import type { MessageHeaders } from '../../interfaces/message-headers.interface.js';
import { Fifo, type FifoItem } from '../../collections/fifo.js';
import type { DeliveredMessage } from './tracked-message.js';

class Move implements FifoItem<Move> {
  next: Move | undefined;

  constructor(
    readonly message: DeliveredMessage,
    readonly mode: ParkedMode,
    readonly notes: MessageHeaders,
    readonly moved: () => void,
  ) {}
}

/**
 * A shard's moves into its side queue, in order and bounded. When the side queue is full the moves wait with their
 * deliveries unsettled, so that the shard stalls instead of losing or reordering anything.
 */
export class SideQueue {
  private readonly pending = new Fifo<Move>();
  private stored: number;
  private underWay = 0;
  private closed = false;

  constructor(
    private readonly session: ShardSession,
    private readonly limit: number,
    private readonly changed: () => void,
  ) {
    this.stored = session.parked.length;
  }

  get stalled(): boolean {
    return this.pending.length > 0;
  }

  /** Messages in the side queue or on their way there. */
  get length(): number {
    return this.stored + this.underWay;
  }

  /** Moves sent and not confirmed. */
  get moving(): number {
    return this.underWay;
  }

  /** Moves a delivery. `moved` is called when it is safe in the side queue; never, if the epoch ends before. */
  move(message: DeliveredMessage, mode: ParkedMode, notes: MessageHeaders, moved: () => void): void {
    if (this.closed) return;
    this.pending.push(new Move(message, mode, notes, moved));
    this.send();
  }

  /** A message has left the side queue for good. */
  freed(): void {
    this.stored--;
    this.send();
  }

  /** Starts no further move: what waits stays unsettled and goes back with the shard. */
  close(): void {
    this.closed = true;
  }

  private send(): void {
    while (!this.closed && this.length < this.limit) {
      const move = this.pending.shift();
      if (move === undefined) return;
      this.underWay++;
      this.session.park(move.message.delivery, move.mode, move.notes).then(
        () => {
          this.underWay--;
          this.stored++;
          move.moved();
          this.changed();
        },
        () => {
          // A failed move ends the session (contract of ShardSession.park): the messages return with the epoch.
          this.underWay--;
          this.closed = true;
          this.changed();
        },
      );
    }
  }
}
