import type { Flight } from './flight.js';

/** Under which the trouble is injected. */
export const PLANTED_TROUBLE = Symbol('planted trouble');

/** What is to go wrong on purpose, so that somebody has something to free. */
export interface TroubleOptions {
  /** Airport of which one flight fails, however often it is tried. */
  poison: string | undefined;
  /** Airport of which one flight never ends. */
  hang: string | undefined;
  /** How many parked flights a shard may hold; `undefined` for the library's default. */
  sideQueue: number | undefined;
}

/** The flight that is struck is the third of its airport: two are counted before. */
const COUNTED_BEFORE = 2;

/** Strikes one flight of an airport, and that one each time. */
export class PlantedTrouble {
  private readonly struck = new Map<string, number>();

  constructor(readonly options: TroubleOptions) {}

  /** Whether a flight is the one. */
  strikes(airport: string | undefined, flight: Flight, counted: number): boolean {
    if (flight.origin !== airport) return false;
    if (counted === COUNTED_BEFORE && !this.struck.has(airport)) this.struck.set(airport, flight.row);
    return this.struck.get(airport) === flight.row;
  }

  /**
   * Ends as the flight's attempt is to end.
   * @throws for a flight that is poisoned
   */
  async meet(flight: Flight, counted: number): Promise<void> {
    const { poison, hang } = this.options;
    if (this.strikes(poison, flight, counted)) {
      throw new Error(`flight ${flight.row} to ${flight.destination} is poisoned (planted by --poison)`);
    }
    if (this.strikes(hang, flight, counted)) await new Promise(() => undefined);
  }
}
