import type { ShardingKey } from '../../keys/sharding-key.js';
import type { DataUpdaterRef } from '../../interfaces/live-key.interface.js';

/** The live activation of one key: the handler's state for it. It lives from `init` to the end of `terminate`. */
export class DataUpdater {
  /** `false` once it is to end: nothing but `terminate` runs on it any more. */
  alive = true;
  /** The bytes of the state as the store has them, or will once what is pending is committed. */
  saved: Uint8Array | undefined = undefined;
  private reference: DataUpdaterRef | undefined;

  constructor(
    public state: unknown,
    /** On the engine's clock. */
    readonly startedAt: number,
  ) {}

  /** Takes over a new state; `undefined` keeps the old one. */
  keep(state: unknown): void {
    if (state !== undefined) this.state = state;
  }

  /** The public face: one object, as long as this data updater lives. */
  ref(key: () => ShardingKey, shard: number, epoch: number): DataUpdaterRef {
    return (this.reference ??= new Reference(this, key(), shard, epoch));
  }
}

class Reference implements DataUpdaterRef {
  readonly #updater: DataUpdater;

  constructor(
    updater: DataUpdater,
    readonly key: ShardingKey,
    readonly shard: number,
    readonly epoch: number,
  ) {
    this.#updater = updater;
  }

  get alive(): boolean {
    return this.#updater.alive;
  }
}
