import { cpus } from 'node:os';

/** How busy the machine was: by us, the broker, and whatever else ran on it. */
export class CpuMeter {
  private readonly before = times();

  /** Cores that were busy on average since the meter was made. */
  busy(): number {
    const { idle, all } = times();
    const share = 1 - (idle - this.before.idle) / Math.max(1, all - this.before.all);
    return share * cpus().length;
  }
}

function times(): { readonly idle: number; readonly all: number } {
  let [idle, all] = [0, 0];
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.idle + times.user + times.nice + times.sys + times.irq;
  }
  return { idle, all };
}
