import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { familyCpu, parentPid, processCpu } from '../src/harness/cpu-clock.js';

/** Works until it has used a tenth of a second, says so, and rests until its input ends. */
const WORK = `while (process.cpuUsage().user < 100_000);
process.stdout.write('worked');
process.stdin.resume();`;

describe('the CPU clock of other processes', () => {
  it("counts a family's time, that of a child that lives and of one that has ended", async () => {
    const before = familyCpu(process.pid)!;
    const own = process.cpuUsage();
    const child = spawn(process.execPath, ['--eval', WORK], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const others = (): number => {
      const { user, system } = process.cpuUsage(own);
      return familyCpu(process.pid)! - before - user - system;
    };

    expect(processCpu(child.pid!)).toBeGreaterThanOrEqual(90_000);
    expect(parentPid(child.pid!)).toBe(process.pid);
    const alive = others();
    child.stdin.end();
    await once(child, 'exit');
    const ended = others();

    // The clock ticks in hundredths of a second, twice for each process.
    expect(alive).toBeGreaterThanOrEqual(60_000);
    expect(ended).toBeGreaterThanOrEqual(60_000);
  });

  it('tells nothing of a process that is not', () => {
    expect(processCpu(2 ** 22 + 1)).toBeUndefined();
    expect(familyCpu(2 ** 22 + 1)).toBeUndefined();
  });
});
