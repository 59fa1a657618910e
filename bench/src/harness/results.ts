import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { format } from 'prettier';
import type { Result } from './comparison.js';
import type { Machine, Versions } from './machine.js';

/** Everything that is known, as it lies in the file. */
export interface Results {
  readonly machine: Machine;
  readonly versions: Versions;
  readonly comparisons: readonly Result[];
}

const LATEST = fileURLToPath(new URL('../../results/latest.json', import.meta.url));

export function readLatest(): Results | undefined {
  try {
    return JSON.parse(readFileSync(LATEST, 'utf8')) as Results;
  } catch {
    return undefined; // Nothing was measured yet.
  }
}

export async function writeLatest(results: Results): Promise<void> {
  mkdirSync(dirname(LATEST), { recursive: true });
  await writeResults(LATEST, results);
}

export async function writeResults(file: string, results: Results): Promise<void> {
  writeFileSync(file, await format(JSON.stringify(results, rounded), { parser: 'json', printWidth: 120 }));
}

/** Ten digits are noise. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}

/** Puts a result in the place of an older one; what was measured elsewhere or on other versions is forgotten. */
export function merge(old: Results | undefined, machine: Machine, versions: Versions, result: Result): Results {
  const kept =
    old !== undefined && isDeepStrictEqual(old.machine, machine) && agree(old.versions, versions) ? old : undefined;
  const others = kept?.comparisons.filter(({ name }) => name !== result.name) ?? [];
  return { machine, versions: { ...kept?.versions, ...versions }, comparisons: [...others, result] };
}

/** One of them may know more than the other: without a broker its version is not known. */
function agree(some: Versions, others: Versions): boolean {
  return Object.entries(some).every(([name, version]) => (others[name] ?? version) === version);
}
