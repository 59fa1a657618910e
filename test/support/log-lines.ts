import type { LoggerService } from '@nestjs/common';
import { Changes } from './changes.js';

/** Keeps what is logged, and lets a test wait for a line. */
export class LogLines extends Changes implements LoggerService {
  readonly lines: string[] = [];

  log(message: unknown): void {
    this.lines.push(String(message));
    this.changed();
  }
  warn(message: unknown): void {
    this.log(message);
  }
  error(message: unknown): void {
    this.log(message);
  }

  matching(pattern: RegExp): string[] {
    return this.lines.filter((line) => pattern.test(line));
  }

  /** Resolves when so many lines like this were logged. */
  untilLogged(pattern: RegExp, times = 1): Promise<void> {
    const state = (): string => `(logged: ${this.lines.join(' / ')})`;
    const holds = (): boolean => this.matching(pattern).length >= times;
    return this.until(`the log had ${times} lines like ${pattern}`, holds, 20_000, state);
  }
}
