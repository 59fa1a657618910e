import type { Clock, Timer } from '@mississippi/core/transport';
import { within } from '../connection/timers.js';

/**
 * Knows whether the ownership of our shards is certain. When the event loop stood still for more than half a heartbeat, or
 * the broker was silent for more than a whole one, it may have given them to somebody else; then nothing starts until a
 * round trip has succeeded. The client's own check is no help there: it and the broker's both find a silent peer after two
 * to three heartbeats, each in a rhythm of its own, so the broker may be the first (amqplib 2.3, RabbitMQ 3.10).
 */
export class StallFence {
  private lastSeen: number;
  private ticker: Timer;
  private verifying: Promise<void> | undefined;

  constructor(
    /** As it was agreed upon with the broker, which may be less than was asked for. Milliseconds. */
    private readonly heartbeat: () => number,
    /** For how long nothing was heard of the broker. Milliseconds; while idle it sends something twice a heartbeat. */
    private readonly silence: () => number,
    private readonly roundTrip: () => Promise<void>,
    private readonly unanswered: (cause: Error) => void,
    private readonly clock: Clock,
  ) {
    this.lastSeen = clock.now();
    this.ticker = this.tickLater();
  }

  isCertain(): boolean {
    const heartbeat = this.heartbeat();
    const stalled = this.clock.now() - this.lastSeen > heartbeat / 2;
    return this.verifying === undefined && !stalled && this.silence() <= heartbeat;
  }

  /** Makes a round trip to the broker; whoever asks meanwhile waits for the same one. Rejects when there was no answer. */
  verify(): Promise<void> {
    this.verifying ??= this.ask().finally(() => {
      this.verifying = undefined;
    });
    return this.verifying;
  }

  stop(): void {
    this.ticker.cancel();
  }

  private tickLater(): Timer {
    return this.clock.after(this.heartbeat() / 8, () => this.tick(), true);
  }

  private tick(): void {
    this.ticker = this.tickLater();
    if (this.isCertain()) this.lastSeen = this.clock.now();
    else this.verify().catch(() => undefined); // `unanswered` was called.
  }

  private async ask(): Promise<void> {
    try {
      await within(this.clock, this.heartbeat(), this.roundTrip());
    } catch (error) {
      this.unanswered(error as Error);
      throw error;
    } finally {
      this.lastSeen = this.clock.now();
    }
  }
}
