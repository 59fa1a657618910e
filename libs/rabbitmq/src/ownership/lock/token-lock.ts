import type { Clock } from '@mississippi/core/transport';
import type { Channel } from 'amqplib';
import { within } from '../../connection/timers.js';
import { LockRenewal, type Pace } from './lock-renewal.js';
import type { HeldLock } from './shard-lock.js';
import { TokenChannel } from './token-channel.js';

export interface TokenLockParts {
  readonly channel: Channel;
  readonly queue: string;
  readonly consumerTag: string;
  /** Publishes a token to the queue. Settles within so many milliseconds. */
  readonly publish: (timeout: number) => Promise<void>;
  /** When it is proven that it is still held. */
  readonly pace: Pace;
  readonly clock: Clock;
}

/** The lock of one shard, which this process asks for, and holds from the first token on. */
export class TokenLock implements HeldLock {
  private readonly tokens: TokenChannel;
  private renewal: LockRenewal | undefined;
  private lostBy: Error | undefined;
  private lost: ((cause: Error) => void) | undefined;
  private onToken: () => void = () => undefined;
  /** Resolves when it is held, or never will be. */
  private readonly got = new Promise<void>((resolve) => (this.onToken = resolve));

  constructor(private readonly parts: TokenLockParts) {
    const { channel, queue, consumerTag } = parts;
    this.tokens = new TokenChannel(channel, queue, consumerTag, {
      came: (token) => {
        this.onToken();
        this.renewal?.came(token);
      },
      failed: (cause) => this.lose(cause),
    });
  }

  /** Becomes a consumer of the lock's queue. */
  consume(): Promise<void> {
    return this.tokens.consume();
  }

  /**
   * Waits for a token. Returns whether it is held.
   * @param filled what brings one, where there was none; where it fails, and none comes before, so does this
   */
  async wait(milliseconds: number, filled: Promise<void>): Promise<boolean> {
    const { got } = this;
    await Promise.race([got, filled]);
    return within(this.parts.clock, milliseconds, got).then(
      () => this.lostBy === undefined,
      () => false,
    );
  }

  /** Its queue tells, and not the shard's. */
  verify(): Promise<void> {
    return Promise.resolve();
  }

  watch(lost: (cause: Error) => void): void {
    const { lostBy } = this;
    if (lostBy !== undefined) {
      lost(lostBy);
      return;
    }
    const { publish, pace, clock, queue } = this.parts;
    this.lost = lost;
    this.renewal = new LockRenewal({
      tokens: this.tokens,
      publish,
      pace,
      clock,
      lost: (why) => this.lose(new Error(`${why} (queue '${queue}')`)),
    });
  }

  async release(): Promise<void> {
    this.renewal?.stop();
    await this.tokens.close();
  }

  private lose(cause: Error): void {
    this.lostBy ??= cause;
    this.onToken(); // Nobody is to wait for one.
    this.renewal?.stop();
    const { lost } = this;
    this.lost = undefined;
    lost?.(cause);
  }
}
