import { UsageError } from './usage.js';

export function parseCount(option: string, value: string, least: number): number {
  const count = Number(value.replace(/,/g, ''));
  if (Number.isSafeInteger(count) && count >= least) return count;
  throw new UsageError(`${option} must be a whole number from ${least} on, not '${value}'.`);
}

export function parseName(name: string): string {
  if (/^[a-z][a-z0-9_]{0,39}$/.test(name)) return name;
  throw new UsageError(`--name must be 1 to 40 small letters, digits or _, not '${name}'.`);
}

export function parseUrl(option: string, value: string | undefined, form: RegExp, example: string): string | undefined {
  if (value === undefined || value === '' || (form.test(value) && URL.canParse(value))) return value;
  throw new UsageError(`${option} must be a url such as ${example}.`);
}
