import { PassThrough } from 'node:stream';
import { Progress } from '../src/progress.js';
import type { ReplayStep } from '../src/replay-step.js';

/** What is shown of some steps, where `total` are to be handled. */
function shown(steps: readonly ReplayStep[], { total, publishes }: { total: number; publishes: boolean }): string {
  const progress = new Progress(total, output, publishes);
  for (const step of steps) progress.count(step);
  progress.stop();
  return String(output.read());
}

const output = Object.assign(new PassThrough(), { isTTY: false });

describe('The progress where there is no terminal', () => {
  it('is a line for each tenth, without control codes', () => {
    const text = shown(
      Array.from({ length: 25 }, () => 'handled'),
      { total: 100, publishes: false },
    );
    expect(text).toMatch(/^10 of 100 flights, [\d,]+ flights\/s\n20 of 100 flights, .*\n25 of 100 flights, .*\n$/);
  });

  it('tells what was published and what was handled', () => {
    const text = shown(['published', 'published', 'handled'], { total: 4, publishes: true });
    expect(text).toMatch(/^1 of 4 flights handled, 2 published, [\d,]+ flights\/s\n$/);
  });

  it('tells nothing twice', () => {
    expect(shown(['handled', 'handled'], { total: 2, publishes: false }).match(/2 of 2/g)).toHaveLength(1);
  });
});
