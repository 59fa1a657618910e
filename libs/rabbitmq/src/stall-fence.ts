import { within } from './broker-connection.js';

/**
 * Knows whether the ownership of our shards is certain. When the event loop stood still for more than half a heartbeat, or
 * the broker was silent for more than a whole one, it may have given them to somebody else; then nothing starts until a
 * round trip has succeeded. The client's own check is no help there: it and the broker's both find a silent peer after two
 * to three heartbeats, each in a rhythm of its own, so the broker may be the first (amqplib 2.3, RabbitMQ 3.10).
 */
export class StallFence {
  private lastSeen = performance.now();
  private readonly ticker: NodeJS.Timeout;
  private verifying: Promise<void> | undefined;

  constructor(
    /** Milliseconds. */
    private readonly heartbeat: number,
    /** For how long nothing was heard of the broker. Milliseconds; while idle it sends something twice a heartbeat. */
    private readonly silence: () => number,
    private readonly roundTrip: () => Promise<void>,
    private readonly unanswered: (cause: Error) => void,
  ) {
    this.ticker = setInterval(() => this.tick(), heartbeat / 8).unref();
  }

  isCertain(): boolean {
    const stalled = performance.now() - this.lastSeen > this.heartbeat / 2;
    return this.verifying === undefined && !stalled && this.silence() <= this.heartbeat;
  }

  /** A round trip to the broker; who asks meanwhile waits for the same. Rejects when there was no answer. */
  verify(): Promise<void> {
    this.verifying ??= this.ask().finally(() => {
      this.verifying = undefined;
    });
    return this.verifying;
  }

  stop(): void {
    clearInterval(this.ticker);
  }

  private tick(): void {
    if (this.isCertain()) this.lastSeen = performance.now();
    else this.verify().catch(() => undefined); // `unanswered` was told.
  }

  private async ask(): Promise<void> {
    try {
      await within(this.heartbeat, this.roundTrip());
    } catch (error) {
      this.unanswered(error as Error);
      throw error;
    } finally {
      this.lastSeen = performance.now();
    }
  }
}
