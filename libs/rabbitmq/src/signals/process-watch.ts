import type { Clock, Timer } from '@mississippi/core/transport';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { isThere } from '../connection/liveness.js';
import { every } from '../connection/timers.js';

/** How often it looks. Milliseconds. */
const INTERVAL = 500;

/**
 * Looks whether processes that accepted signals still live: one look for a process, however many signals it has. Each takes a
 * channel of its own, which the broker closes with its answer.
 */
export class ProcessWatch {
  /** The calls that each process has accepted, by where it is reached. */
  private readonly accepted = new Map<string, Set<string>>();
  private timer: Timer | undefined;
  private looking = false;

  constructor(
    private readonly connection: Pick<BrokerConnection, 'current'>,
    private readonly clock: Clock,
    /** The process that had accepted a call is gone. */
    private readonly gone: (call: string) => void,
  ) {}

  /** @param process where it is reached, as long as it lives */
  begin(process: string, call: string): void {
    const calls = this.accepted.get(process);
    if (calls === undefined) this.accepted.set(process, new Set([call]));
    else calls.add(call);
    this.timer ??= every(this.clock, INTERVAL, () => void this.look());
  }

  end(process: string, call: string): void {
    const calls = this.accepted.get(process);
    if (calls === undefined) return;
    calls.delete(call);
    if (calls.size === 0) this.accepted.delete(process);
    if (this.accepted.size > 0) return;
    this.timer?.cancel();
    this.timer = undefined;
  }

  /** A broker that does not answer is not asked again before it has. */
  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      for (const process of this.accepted.keys()) {
        if (await this.isGone(process)) for (const call of this.accepted.get(process) ?? []) this.gone(call);
      }
    } finally {
      this.looking = false;
    }
  }

  /** Nobody is gone because the broker could not say. */
  private async isGone(process: string): Promise<boolean> {
    const model = this.connection.current;
    return model !== undefined && !(await isThere(model, process).catch(() => true));
  }
}
