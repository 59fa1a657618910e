import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts the time of a process in hundredths of a second. */
const MICROSECONDS_PER_TICK = 10_000;

/** The CPU time of a process, in microseconds; `undefined` where the system does not tell. */
export function processCpu(pid: number): number | undefined {
  const fields = statOf(pid);
  return fields && ticks(fields, 2) * MICROSECONDS_PER_TICK;
}

/** The same of a process with its children, those that have ended too. */
export function familyCpu(pid: number): number | undefined {
  const parent = statOf(pid);
  if (parent === undefined) return undefined;
  let sum = ticks(parent, 4);
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const child = statOf(Number(name));
    if (child !== undefined && parentOf(child) === pid) sum += ticks(child, 4);
  }
  return sum * MICROSECONDS_PER_TICK;
}

/** The numbers of the threads of a process. */
export function threadsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map(Number);
}

/** The process that a process is a child of. */
export function parentPid(pid: number): number | undefined {
  const fields = statOf(pid);
  return fields && parentOf(fields);
}

/** The fields from the third on: the second, in parentheses, may hold spaces. */
function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  } catch {
    return undefined; // Other systems have no such file, and a process may have ended.
  }
}

function parentOf(fields: readonly string[]): number {
  return Number(fields[1]);
}

/** From the 14th field on: user and system, then those of children that have ended. */
function ticks(fields: readonly string[], count: 2 | 4): number {
  return fields.slice(11, 11 + count).reduce((sum, field) => sum + Number(field), 0);
}
