import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { monotonic, type Observation } from './events.js';

export const HISTORY_SUFFIX = '.events.jsonl';

/**
 * Appends what one process sees to a file of its own, one write for each event: what was written stays when the process
 * is killed, and only the last line can be torn.
 */
export class Recorder {
  private readonly file: number;
  private lines = 0;
  private numbers = 0;

  constructor(
    folder: string,
    readonly process: string,
  ) {
    this.file = openSync(join(folder, `${process}${HISTORY_SUFFIX}`), 'a');
  }

  record(observation: Observation): void {
    const stamp = { process: this.process, n: ++this.lines, mono: monotonic(), wall: Date.now() };
    writeSync(this.file, `${JSON.stringify({ ...observation, ...stamp })}\n`);
  }

  /** A number for a flight or a delivery. */
  number(): number {
    return ++this.numbers;
  }

  close(): void {
    closeSync(this.file);
  }
}
