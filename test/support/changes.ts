/** Something that changes; whoever waits for a condition looks again at each change. */
export class Changes {
  private readonly waiters = new Set<() => void>();

  changed(): void {
    for (const look of this.waiters) look();
  }

  /** Resolves once the condition holds; rejects after some milliseconds, saying what was awaited. */
  until(what: string, holds: () => boolean, milliseconds = 20_000, state: () => string = () => ''): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = (): void => {
        this.waiters.delete(look);
        reject(new Error(`waited ${milliseconds} ms in vain until ${what} ${state()}`.trimEnd()));
      };
      const timer = milliseconds === Infinity ? undefined : setTimeout(late, milliseconds);
      const look = (): void => {
        if (!holds()) return;
        clearTimeout(timer);
        this.waiters.delete(look);
        resolve();
      };
      this.waiters.add(look);
      look();
    });
  }
}
