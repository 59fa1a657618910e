import type { LoggerService } from '@nestjs/common';
import { describe } from '../../errors/describe.js';

/** The app's logger, which may throw: that must not hold up what could not be told. The process warns of it once. */
export function guardedLogger(logger: LoggerService): LoggerService {
  let threw = false;
  const guarded =
    (level: 'log' | 'warn' | 'error' | 'debug' | 'verbose' | 'fatal') =>
    (line: unknown, ...more: unknown[]): void => {
      try {
        logger[level]?.(line, ...more);
      } catch (error) {
        if (threw) return;
        threw = true;
        process.emitWarning(`The logger threw at a line of Mississippi (${describe(error)}): ${textOf(line)}`);
      }
    };
  return {
    log: guarded('log'),
    warn: guarded('warn'),
    error: guarded('error'),
    debug: guarded('debug'),
    verbose: guarded('verbose'),
    fatal: guarded('fatal'),
  };
}

function textOf(line: unknown): string {
  return line instanceof Error ? line.message : String(line);
}
