import { inspect } from 'node:util';

/**
 * One line about any thrown or returned value, at most 300 characters. It never throws, whatever the value is.
 * @publicApi
 */
export function describe(value: unknown): string {
  let text: string;
  try {
    text = textOf(value);
  } catch {
    text = `(a value of type ${typeof value} that cannot be shown)`; // A getter of it threw, for instance.
  }
  // A line of its own within would look like another line of the log.
  text = text.replace(/\s*[\r\n]\s*/g, ' ');
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}

function textOf(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value === 'string') return value;
  return inspect(value, { depth: 1, breakLength: Infinity, maxArrayLength: 5, maxStringLength: 100 });
}

/**
 * The same of an error together with its causes.
 * @publicApi
 */
export function describeWithCause(value: unknown): string {
  let text = describe(value);
  let cause = causeOf(value);
  for (let depth = 0; cause !== undefined && depth < 3; depth++) {
    text += ` (cause: ${describe(cause)})`;
    cause = causeOf(cause);
  }
  return text;
}

function causeOf(value: unknown): unknown {
  try {
    return value instanceof Error ? value.cause : undefined;
  } catch {
    return undefined;
  }
}
