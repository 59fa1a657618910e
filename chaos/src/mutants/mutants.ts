import type { Mutant as Planted } from '@mississippi/history';
import { MUTANT_VARIABLE } from '../protocol.js';
import { BROKER_MUTANTS } from './broker-mutants.js';
import type { Mutant, Where } from './mutant.js';
import { ORDER_MUTANTS } from './order-mutants.js';
import { SIGNAL_MUTANTS } from './signal-mutants.js';
import { STORE_MUTANTS, type StoreMutant } from './store-mutants.js';

export const MUTANTS: readonly Mutant[] = [...ORDER_MUTANTS, ...SIGNAL_MUTANTS, ...BROKER_MUTANTS];

/** The mutant that a process of that kind is to become, if any. */
export function mutantOf(where: Where): { plant(struck: (mutant: string) => void): void } | undefined {
  const name = process.env[MUTANT_VARIABLE];
  if (name === undefined) return undefined;
  const ofStore = STORE_MUTANTS.find((known) => known.name === name);
  const mutant: Planted & Pick<Mutant, 'where'> = ofStore ?? mutantNamed(name);
  if (!(mutant.where ?? ['workers']).includes(where)) return undefined;
  return { plant: (struck) => void mutant.plant(() => struck(name)) };
}

export function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((known) => known.name === name);
  if (mutant !== undefined) return mutant;
  throw new Error(`Unknown mutant '${name}': use ${MUTANTS.map(({ name }) => name).join(', ')}.`);
}

export function storeMutantNamed(name: string): StoreMutant {
  const mutant = STORE_MUTANTS.find((known) => known.name === name);
  if (mutant !== undefined) return mutant;
  throw new Error(`Unknown mutant '${name}' of a store: use ${STORE_MUTANTS.map(({ name }) => name).join(', ')}.`);
}
