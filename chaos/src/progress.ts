import type { WriteStream } from 'node:tty';
import cliProgress from 'cli-progress';
import type { LiveView } from './live-view.js';

/** How often a line is written where there is no terminal. Milliseconds. */
const LINE_INTERVAL = 5_000;

type Output = Pick<WriteStream, 'isTTY'> & NodeJS.WritableStream;

/** Shows how far a run is: a bar in a terminal, a line now and then where the output goes elsewhere. */
export class Progress {
  private readonly bar: cliProgress.SingleBar | undefined;
  private lastLine = 0;

  constructor(private readonly output: Output) {
    if (!output.isTTY) return;
    this.bar = new cliProgress.SingleBar(
      {
        stream: output,
        format: '[{bar}] {percentage}% | {state}',
        barsize: 20,
        hideCursor: true,
        gracefulExit: false,
      },
      cliProgress.Presets.shades_classic,
    );
    this.bar.start(100, 0, { state: 'starting' });
  }

  show(share: number, view: LiveView): void {
    const unserved = view.service.unservedNow;
    const state = `${view.done} of ${view.confirmed} done, ${view.pending.size} pending, ${unserved} shards unserved`;
    const percentage = Math.floor(Math.min(1, share) * 100);
    if (this.bar !== undefined) {
      this.bar.update(percentage, { state });
      return;
    }
    const now = performance.now();
    if (now - this.lastLine < LINE_INTERVAL) return;
    this.lastLine = now;
    this.output.write(`${percentage}%: ${state}\n`);
  }

  /** A line of its own; a terminal shows the bar only. */
  say(line: string): void {
    if (this.bar === undefined) this.output.write(`  ${line}\n`);
  }

  stop(): void {
    this.bar?.stop();
  }
}
