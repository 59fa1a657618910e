import { isNativeError } from 'node:util/types';
import { advised } from './advice.js';
import { UsageError } from './errors.js';
import { codeOf, EXIT, exitCodeOf } from './exit-codes.js';
import { Printer } from './output/printer.js';
import type { Terminal } from './output/terminal.js';
import { runProgram } from './program.js';
import { refusePasswords, withoutCredentials } from './settings/secrets.js';

/** Does what the arguments say. Returns the status to exit with; it never rejects. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    refusePasswords(args);
    return await runProgram(args, terminal);
  } catch (error) {
    const status = exitCodeOf(error);
    new Printer(terminal, args.includes('--json')).error(toldOf(error, status), status);
    return status;
  }
}

function toldOf(error: unknown, status: number): { code: string; message: string } {
  const text = isNativeError(error) ? error.message : String(error);
  // Those have examples of urls, and nobody's.
  const message = error instanceof UsageError ? text : withoutCredentials(text);
  if (status !== EXIT.bug) {
    const code = codeOf(error);
    return { code: code ?? 'error', message: advised(message, code) };
  }
  const stack = isNativeError(error) ? withoutCredentials(error.stack ?? '') : '';
  return { code: 'bug', message: `This is an error of mississippi itself: please report it.\n${stack || message}` };
}
