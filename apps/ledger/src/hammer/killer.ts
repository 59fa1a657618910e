import type { WorkerProcess } from './worker-process.js';

/** Kills the worker at equal steps of the way, while requests are under way, and starts it again. */
export class Killer {
  /** How often it did. */
  done = 0;
  private restarting: Promise<void> = Promise.resolve();
  private failure: Error | undefined;

  constructor(
    private readonly worker: Pick<WorkerProcess, 'kill' | 'start'>,
    private readonly kills: number,
    private readonly total: number,
  ) {}

  /** @param accepted how many transfers were, so far */
  step(accepted: number): void {
    if (this.failure !== undefined) throw this.failure;
    if (this.done >= this.kills || accepted < ((this.done + 1) * this.total) / (this.kills + 1)) return;
    this.done++;
    this.restarting = this.restarting.then(() => this.restart());
    this.restarting.catch((error: Error) => (this.failure = error));
  }

  /** Resolves when it is up again. */
  async settled(): Promise<void> {
    await this.restarting;
  }

  private async restart(): Promise<void> {
    await this.worker.kill();
    await this.worker.start();
  }
}
