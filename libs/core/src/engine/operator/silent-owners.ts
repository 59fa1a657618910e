import { OperatorTimeoutError } from '../../errors/index.js';

/**
 * Which processes say nothing during one look: a frozen one is to cost one time-out, and not one for each few of its
 * shards.
 */
export class SilentOwners {
  private readonly heard = new Set<string>();
  private readonly unheard = new Set<string>();

  /** Whether a process was asked in vain, and has answered nothing. */
  has(process: string | undefined): process is string {
    return process !== undefined && this.unheard.has(process) && !this.heard.has(process);
  }

  /** Awaits what a process answers. */
  async watch<T>(process: string | undefined, answer: Promise<T>): Promise<T> {
    if (process === undefined) return answer;
    try {
      const value = await answer;
      this.heard.add(process);
      return value;
    } catch (error) {
      (error instanceof OperatorTimeoutError ? this.unheard : this.heard).add(process);
      throw error;
    }
  }
}
