import { cut } from './plain-text.js';
import type { Terminal } from './terminal.js';

/** How often a line is written again. Milliseconds. */
const EVERY = 100;
const ERASE = '\r\u001b[K';

/** One line on a terminal that says how far long work is. Where there is no terminal nothing is written. */
export class ProgressLine {
  private writtenAt = -Infinity;
  private written = false;

  constructor(
    private readonly terminal: Terminal,
    json: boolean,
  ) {
    this.on = terminal.err.isTty && !json;
  }

  private readonly on: boolean;

  show(text: string): void {
    const now = Date.now();
    if (!this.on || now - this.writtenAt < EVERY) return;
    const { err } = this.terminal;
    this.writtenAt = now;
    this.written = true;
    err.write(`${ERASE}${cut(text, err.columns - 1)}`);
  }

  clear(): void {
    if (this.written) this.terminal.err.write(ERASE);
    this.written = false;
  }
}
