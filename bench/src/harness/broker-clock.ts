import { readFileSync } from 'node:fs';

/** Linux counts the time of a process in hundredths of a second. */
const MICROSECONDS_PER_TICK = 10_000;

/** The CPU time of the broker's process, in microseconds; `undefined` where the system does not tell. */
export function brokerCpu(pid: number): number | undefined {
  try {
    // The name, in parentheses, may hold spaces; the times are the 14th and the 15th field.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_PER_TICK;
  } catch {
    return undefined;
  }
}
