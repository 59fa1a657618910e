import { existsSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { threadsOf } from '../harness/cpu-clock.js';

/**
 * Gives a process, which leads a session, a nice value. Linux has one for each thread; those that they start later inherit it.
 * Where it groups sessions (`sched_autogroup_enabled`) these count only within the session, which has one of its own.
 */
export function setNice(pid: number, nice: number): void {
  for (const thread of threadsOf(pid)) setPriority(thread, nice);
  const group = `/proc/${pid}/autogroup`;
  if (existsSync(group)) writeFileSync(group, String(nice));
}
