import { inspect } from 'node:util';
import type { LoggerService } from '@nestjs/common';
import { describe } from '../../errors/describe.js';

/** What a line of the log is about, for programs. */
export interface LogFields {
  /** What happened; the type of the {@link MississippiEvent}, where there is one. */
  readonly event: string;
  readonly [name: string]: string | number | undefined;
}

/** How many causes of an error are shown. */
const MOST_CAUSES = 3;

/**
 * A line of the log with its fields. It is an Error, which is the one form that every logger of Nest takes for a message
 * with something to it: the console prints the line (and the stack, where the line is an error), JSON has the fields in
 * `error` (Nest 12) or in `message` (Nest 11), in `err` (nestjs-pino 5) or at the top (nest-winston 2). An object as a second argument would be
 * fields for Nest's own logger only: nestjs-pino would drop it together with the stack, and nest-winston take it for the
 * context. See docs/decisions/0007-log-lines.md.
 */
class MississippiFailure extends Error {
  readonly #shown: string;

  constructor(text: string, fields: LogFields, cause: { readonly error?: unknown; readonly stack?: boolean }) {
    super(text);
    for (const [name, value] of Object.entries({ ...fields, ...errorFields(cause.error) })) {
      if (value !== undefined) Reflect.set(this, name, value);
    }
    // Where the line was written helps nobody.
    const stack = cause.stack === true ? stackOf(cause.error) : undefined;
    const full = stack === undefined ? text : `${text}\n${stack}`;
    Object.defineProperty(this, 'stack', { value: full, configurable: true, writable: true });
    this.#shown = full;
  }

  [inspect.custom](): string {
    return this.#shown;
  }

  override toString(): string {
    return this.message;
  }

  /** For loggers that leave JSON to the error, as Nest's does in Nest 11, which would have the line alone otherwise. */
  toJSON(): object {
    const { message, stack } = this;
    return { ...this, message, ...(stack === message ? {} : { stack }) };
  }
}

// Loggers list the own properties of an error.
Object.defineProperty(MississippiFailure.prototype, 'name', { value: MississippiFailure.name, writable: true });

/** The log of one instance: each line says all for people, and has the same in fields for programs. */
export class Log {
  /** @param logger never throws */
  constructor(private readonly logger: LoggerService) {}

  warn(text: string, fields: LogFields, error?: unknown): void {
    this.logger.warn(new MississippiFailure(text, fields, { error }));
  }

  /** With the stack of the error, where it has one. */
  error(text: string, fields: LogFields, error?: unknown): void {
    this.logger.error(new MississippiFailure(text, fields, { error, stack: true }));
  }
}

/** The stack of an error with those of its causes, for a logger; `undefined` where there is none. It never throws. */
export function stackOf(error: unknown): string | undefined {
  const stacks: string[] = [];
  try {
    for (let at = error; at instanceof Error && stacks.length <= MOST_CAUSES; at = at.cause) {
      if (typeof at.stack === 'string') stacks.push(at.stack);
    }
  } catch {
    // A getter of it threw: what was found so far has to do.
  }
  return stacks.length === 0 ? undefined : stacks.join('\nCaused by: ');
}

function errorFields(error: unknown): { readonly error?: string; readonly errorCode?: string | number } {
  if (error === undefined) return {};
  const code = codeOf(error);
  return code === undefined ? { error: describe(error) } : { error: describe(error), errorCode: code };
}

function codeOf(error: unknown): string | number | undefined {
  try {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    return typeof code === 'string' || typeof code === 'number' ? code : undefined;
  } catch {
    return undefined;
  }
}
