import type { WriteStream } from 'node:tty';
import cliProgress from 'cli-progress';
import type { ReplayStep } from './replay-step.js';
import { whole } from './report.js';

/** How often the display is brought up to date. Milliseconds. */
const BAR_INTERVAL = 100;
const LINE_INTERVAL = 1_000;

/** How many lines there are at least, one for each equal part. */
const LINES = 10;

type Output = Pick<WriteStream, 'write' | 'isTTY'> & NodeJS.WritableStream;

/** How far the replay is. */
interface State {
  handled: number;
  /** `undefined` where flights are not published but answered. */
  published: number | undefined;
  /** Handled per second. */
  rate: number;
}

/** What shows how far the replay is. */
interface Display {
  /** Milliseconds. */
  readonly interval: number;
  /** After how many handled flights it is shown anew, whatever the time. */
  readonly every: number;
  show(state: State): void;
  stop(): void;
}

/** Counts what is done and shows it: a bar in a terminal, lines where the output goes elsewhere. */
export class Progress {
  private readonly counts: Record<ReplayStep, number> = { published: 0, handled: 0 };
  private elapsed: number | undefined;
  private readonly startedAt = performance.now();
  private readonly display: Display;
  private readonly timer: NodeJS.Timeout;

  /** @param publishes whether flights are published, and that is shown too */
  constructor(
    readonly total: number,
    output: Output,
    private readonly publishes: boolean,
  ) {
    this.display = output.isTTY ? bar(total, output, publishes) : lines(total, output);
    this.timer = setInterval(() => this.show(), this.display.interval);
  }

  get handled(): number {
    return this.counts.handled;
  }

  /** Seconds from the start, up to now or to the stop. */
  get seconds(): number {
    return (this.elapsed ?? performance.now() - this.startedAt) / 1_000;
  }

  /** Handled per second, on average since the start. */
  get rate(): number {
    return this.handled / this.seconds;
  }

  count(step: ReplayStep): void {
    this.counts[step]++;
    if (step === 'handled' && this.handled % this.display.every === 0) this.show();
  }

  /** Shows the last state and leaves the terminal as it was. */
  stop(): void {
    clearInterval(this.timer);
    this.elapsed = performance.now() - this.startedAt;
    this.show();
    this.display.stop();
  }

  private show(): void {
    const published = this.publishes ? this.counts.published : undefined;
    this.display.show({ handled: this.handled, published, rate: this.rate });
  }
}

function bar(total: number, output: Output, publishes: boolean): Display {
  const progressBar = new cliProgress.SingleBar(
    {
      stream: output,
      // Narrow enough for 80 columns.
      format: publishes
        ? 'Replay [{bar}] {value} of {total} | {published} published | {rate}/s'
        : 'Replay [{bar}] {percentage}% | {value} of {total} | {rate} flights/s',
      barsize: publishes ? 20 : 24,
      formatValue: (value, _options, type) => (type === 'percentage' ? `${value}` : whole(value)),
      hideCursor: true,
      // The app stops the bar itself when it is interrupted; a handler more would end the process under it.
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  progressBar.start(total, 0, { published: 0, rate: '-' });
  return {
    interval: BAR_INTERVAL,
    every: Infinity,
    show: ({ handled, published = 0, rate }) =>
      progressBar.update(handled, { published: whole(published), rate: whole(rate) }),
    stop: () => progressBar.stop(),
  };
}

function lines(total: number, output: Output): Display {
  let last = '';
  return {
    interval: LINE_INTERVAL,
    every: Math.max(1, Math.floor(total / LINES)),
    show: ({ handled, published, rate }) => {
      const count =
        published === undefined
          ? `${whole(handled)} of ${whole(total)} flights`
          : `${whole(handled)} of ${whole(total)} flights handled, ${whole(published)} published`;
      if (count === last) return;
      last = count;
      output.write(`${count}, ${whole(rate)} flights/s\n`);
    },
    stop: () => undefined,
  };
}
