import type { WriteStream } from 'node:tty';
import cliProgress from 'cli-progress';
import { whole } from './money.js';

type Output = Pick<WriteStream, 'write' | 'isTTY'> & NodeJS.WritableStream;

/** How many lines there are where the output goes elsewhere, one for each equal part. */
const LINES = 10;

/** Shows how far the hammer is: a bar in a terminal, lines where the output goes elsewhere. */
export interface Progress {
  show(accepted: number, kills: number): void;
  stop(): void;
}

export function progressOf(total: number, output: Output): Progress {
  return output.isTTY ? bar(total, output) : lines(total, output);
}

function bar(total: number, output: Output): Progress {
  const progressBar = new cliProgress.SingleBar(
    {
      stream: output,
      // Narrow enough for 80 columns.
      format: 'Hammering [{bar}] {value} of {total} | killed {kills} x',
      barsize: 30,
      formatValue: (value, _options, type) => (type === 'percentage' ? `${value}` : whole(value)),
      hideCursor: true,
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  progressBar.start(total, 0, { kills: 0 });
  return {
    show: (accepted, kills) => progressBar.update(accepted, { kills }),
    stop: () => progressBar.stop(),
  };
}

function lines(total: number, output: Output): Progress {
  const every = Math.max(1, Math.floor(total / LINES));
  let killed = 0;
  return {
    show: (accepted, kills) => {
      if (kills > killed) output.write(`killed the worker with -9 (${kills}.)\n`);
      if (accepted % every === 0) output.write(`${whole(accepted)} of ${whole(total)} transfers accepted\n`);
      killed = kills;
    },
    stop: () => undefined,
  };
}
