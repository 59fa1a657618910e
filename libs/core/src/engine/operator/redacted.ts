import { describe } from '../../errors/describe.js';
import type { Redact, Shown } from '../../interfaces/redact.interface.js';

/** What may be shown of a value. */
export function redacted(redact: Redact | undefined, value: unknown, shown: Shown): unknown {
  if (redact === undefined || value === undefined) return value;
  try {
    return redact(value, shown);
  } catch (error) {
    return `(not shown, since redact failed: ${describe(error)})`;
  }
}
