/** Something that a check found. */
export interface Finding {
  /** `error`: messages wait, or may be lost or out of order; `warning`: they may yet; `note`: it is as it should be, and worth to know. */
  readonly level: 'error' | 'warning' | 'note';
  readonly what: string;
  /** What comes of it. */
  readonly why: string;
  /** What to do. */
  readonly todo: string;
  /** The words of a command of this program that does it, or shows more. */
  readonly command?: string;
}

/** One thing that was looked at, and what was found. */
export interface Check {
  readonly name: string;
  readonly findings: readonly Finding[];
  /** Why it was not looked at; left out where it was. */
  readonly skipped?: string;
}

export function error(what: string, why: string, todo: string, command?: string): Finding {
  return { level: 'error', what, why, todo, ...(command === undefined ? {} : { command }) };
}

export function warning(what: string, why: string, todo: string, command?: string): Finding {
  return { level: 'warning', what, why, todo, ...(command === undefined ? {} : { command }) };
}

export function note(what: string, why: string, todo: string, command?: string): Finding {
  return { level: 'note', what, why, todo, ...(command === undefined ? {} : { command }) };
}
