import type { Machine, Versions } from '../harness/machine.js';
import type { Fit } from './fit.js';
import type { RestFigures } from './rest.js';
import type { RollingFigures } from './rolling.js';
import type { Settings } from './settings.js';
import type { StartFigures } from './start.js';
import type { TakeOver } from './take-over.js';

/** Size for which the cost at rest is computed. */
export const LARGE = { processes: 50, shards: 1_000 };

/** The parts of what it costs at rest for which there is a {@link Fit}. */
export const FITTED = ['broker', 'workers', 'frames', 'declares'] as const;

export type Fitted = (typeof FITTED)[number];

/** What of each was fitted, and what it gives for {@link LARGE}. */
export type Computed = Readonly<Partial<Record<Fitted, Fit & { readonly value: number }>>>;

/** Everything that was measured; what was not chosen is left out. */
export interface OwnershipResults {
  readonly date: string;
  /** Processes that wanted a core before (mean of a minute). */
  readonly load: number;
  readonly machine: Machine;
  readonly versions: Versions;
  readonly settings: Settings;
  readonly seconds: number;
  readonly start?: StartFigures;
  readonly rest?: readonly RestFigures[];
  readonly computed?: Computed;
  readonly kill?: readonly TakeOver[];
  readonly stall?: readonly TakeOver[];
  readonly rolling?: RollingFigures;
}
