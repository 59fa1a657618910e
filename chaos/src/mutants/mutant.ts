import type { Mutant as Planted, Promised } from '@mississippi/history';
import type { RunOptions } from '../run.js';
import type { Action } from '../schedule.js';

/** A fault that somebody might put into the library, by public members of its classes. */
export interface Mutant extends Planted {
  /** The promises of which at least one must be seen broken. */
  readonly breaks: readonly Promised[];
  /** What brings it to light. */
  readonly actions: readonly Action[];
  /** What it needs besides; the seed is that of the first schedule. */
  readonly options?: Partial<
    Pick<
      RunOptions,
      | 'minutes'
      | 'processes'
      | 'shards'
      | 'keys'
      | 'rate'
      | 'prefetch'
      | 'seed'
      | 'shortest'
      | 'longest'
      | 'consumerTimeout'
    >
  >;
  /** In which processes it is planted. Default the workers. */
  readonly where?: readonly Where[];
}

export type Where = 'workers' | 'publishers';
