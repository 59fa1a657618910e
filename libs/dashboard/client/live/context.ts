import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Hello, Point, Snapshot } from '../../src/wire.js';
import type { Api } from './api.js';

/** What every view may use. */
export interface Shown {
  readonly api: Api;
  readonly hello: Hello;
  readonly snapshot: Snapshot;
  readonly points: readonly Point[];
  /** Says something that stays until it is closed. */
  readonly say: (notice: Notice) => void;
}

export interface Notice {
  readonly kind: 'done' | 'failed' | 'going';
  readonly text: string;
  /** A later notice of the same id takes its place. */
  readonly id: string;
}

export const ShownContext = createContext<Shown | undefined>(undefined);

export function useShown(): Shown {
  return useContext(ShownContext)!;
}
