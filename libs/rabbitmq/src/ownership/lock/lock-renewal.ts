import type { Clock, Timer } from '@mississippi/core/transport';
import { within } from '../../connection/timers.js';
import type { Token, TokenChannel } from './token-channel.js';

/** When a lock is renewed. */
export interface Pace {
  /** How often. Milliseconds. */
  readonly interval: number;
  /** How long a token may take to come. Milliseconds. */
  readonly patience: number;
}

export interface RenewalParts {
  readonly tokens: Pick<TokenChannel, 'giveBack' | 'roundTrip'>;
  /** Publishes a new token. Settles within so many milliseconds. */
  readonly publish: (timeout: number) => Promise<void>;
  readonly pace: Pace;
  readonly clock: Clock;
  /** It may be that somebody else has the lock. */
  readonly lost: (why: string) => void;
}

/**
 * Proves again and again that this process is the lock's active consumer: a new token must come to it. Where the broker takes no
 * messages, or none came, the kept one is given back and must come again. So no token is held for long either, which would
 * end its channel (consumer_timeout).
 *
 * A consumer whose node was out of reach is active no longer, and is not told (RabbitMQ 3.10, 4.0): its tokens go to somebody else. It may
 * become active again when that one has left; then it gets a token that was delivered before.
 */
export class LockRenewal {
  private timer: Timer;
  /** What was given back, and has not come again. */
  private back: Token | undefined;
  /** Called when a token has come that proves it. */
  private onProof: () => void = () => undefined;
  private stopped = false;

  constructor(private readonly parts: RenewalParts) {
    // Locks that were taken together are not renewed together.
    this.timer = this.after(parts.pace.interval * Math.random());
  }

  came(token: Token): void {
    if (this.stopped) return;
    if (token.redelivered && !this.isBack(token))
      this.parts.lost('RabbitMQ gave its lock to another process in between');
    else this.onProof();
  }

  stop(): void {
    this.stopped = true;
    this.timer.cancel();
    this.onProof();
  }

  private after(delay: number): Timer {
    return this.parts.clock.after(delay, () => void this.renew(), true);
  }

  private async renew(): Promise<void> {
    const { tokens, publish, pace, lost } = this.parts;
    const { interval, patience } = pace;
    const proven =
      (await this.proof(() => void publish(patience).catch(() => undefined))) || // It may be blocked; the other way is left.
      (await this.proof(() => (this.back = tokens.giveBack())));
    if (this.stopped) return;
    if (proven) this.timer = this.after(interval);
    else lost(`no token of its lock came within ${(2 * patience) / 1_000} s`);
  }

  /** Returns whether a token came after something was done for it. */
  private async proof(ask: () => void): Promise<boolean> {
    const { tokens, clock, pace } = this.parts;
    if (this.stopped) return false;
    let proven = false;
    const came = new Promise<void>((resolve) => {
      this.onProof = () => {
        proven = true;
        resolve();
      };
    });
    ask();
    // After a standstill of this process it may have come in time, and not be read yet.
    await within(clock, pace.patience, came).catch(() => tokens.roundTrip().catch(() => undefined));
    return proven;
  }

  /** Whether nobody else has had it since it was given back. */
  private isBack({ id, returns }: Token): boolean {
    const { back } = this;
    if (back?.id !== id || returns > back.returns + 1) return false;
    this.back = undefined;
    return true;
  }
}
