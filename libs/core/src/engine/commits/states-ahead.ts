import type { Clock } from '../../clock/clock.interface.js';
import type { LoadedState } from '../../store/store.interface.js';

/** Gets the state, `undefined` where there is none, or an error where the epoch ends before the store answers. */
export type Loaded = (state: LoadedState | undefined, error: Error | undefined) => void;

/** States of one shard that are loaded ahead. When more keys come at once they wait for other things, and states are large. */
const MOST = 8;
/** How long such a state may wait for its data updater: what has a `ttl` may be over then. Milliseconds. */
const FRESH = 10_000;

/** A state on its way, or here. */
class Ahead {
  private answer: Parameters<Loaded> | undefined;
  private waiting: Loaded | undefined;

  constructor(readonly since: number) {}

  readonly loaded: Loaded = (...answer) => {
    this.answer = answer;
    this.waiting?.(...answer);
  };

  tell(loaded: Loaded): void {
    if (this.answer === undefined) this.waiting = loaded;
    else loaded(...this.answer);
  }
}

/**
 * States of keys of which nothing is here, loaded while the inbox is asked about their message. Whoever starts the data updater takes
 * it: until then nothing can have changed it, since only a data updater's commit does, and only in this epoch.
 */
export class StatesAhead {
  private readonly states = new Map<string, Ahead>();

  constructor(private readonly clock: Clock) {}

  /** @returns what is told of the state that is to be loaded; `undefined` where it is not */
  expect(id: string): Loaded | undefined {
    if (this.states.size >= MOST) this.dropOld();
    if (this.states.size >= MOST || this.states.has(id)) return undefined;
    const ahead = new Ahead(this.clock.now());
    this.states.set(id, ahead);
    return ahead.loaded;
  }

  /** @returns whether it is here or on its way: then it is told, once */
  take(id: string, then: Loaded): boolean {
    const ahead = this.states.get(id);
    this.states.delete(id);
    if (ahead === undefined || this.clock.now() - ahead.since > FRESH) return false;
    ahead.tell(then);
    return true;
  }

  /** The state may change, or nobody needs it. */
  drop(id: string): void {
    this.states.delete(id);
  }

  private dropOld(): void {
    const now = this.clock.now();
    for (const [id, { since }] of this.states) if (now - since > FRESH) this.states.delete(id);
  }
}
