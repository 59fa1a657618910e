import { EVERYBODY, type EventOf } from '../events.js';
import type { KnownLimits } from './limits.js';
import type { DeliveryState, EpochState, MessageState } from './records.js';

interface Remembered {
  readonly process: string;
  readonly deliveries: DeliveryState[];
}

/**
 * Which deliveries the faults may have brought back: what was unsettled when its epoch was lost, and what was settled so
 * late that its ack may not have arrived. Deliveries come again at most as many as the prefetch window holds. A process
 * that lives on knows as many that it handled, and does not handle them again; but another that gets the shard may.
 */
export class Returns {
  /** How many repeats the faults explain. */
  most = 0;
  private readonly remembered = new Map<number, Remembered[]>();

  constructor(private readonly limits: KnownLimits) {}

  fault({ fault, target, mono, shard }: EventOf<'fault'>, epochs: Iterable<EpochState>): void {
    const broker = fault === 'broker' || fault === 'wipe';
    const delay = broker ? this.limits.brokerDelay : this.limits.ackDelay;
    for (const epoch of epochs) {
      if (target !== EVERYBODY && target !== epoch.process) continue;
      if (shard !== undefined && shard !== epoch.shard) continue;
      if (epoch.over === undefined) epoch.struck = broker ? { mono, delay } : (epoch.struck ?? { mono, delay });
      else this.expose(settledSince(epoch, mono - delay));
    }
  }

  lost(epoch: EpochState, mono: number, remembers: boolean): void {
    const { prefetch, ackDelay, brokerDelay } = this.limits;
    const struck = epoch.struck ?? { mono, delay: ackDelay };
    const open = [...epoch.unsettled].filter(({ parking, started, message }) => parking || started || message.done > 0);
    const late = ackDelay === 0 ? [] : settledSince(epoch, Math.min(mono, struck.mono) - struck.delay);
    // What a killed broker had not written is not bounded by the window, nor is what was read out of the side queue.
    const unbounded = struck.delay === brokerDelay;
    const candidates = [...open, ...(unbounded ? late : withinWindow(late, prefetch))];
    const most = unbounded ? Infinity : prefetch + candidates.filter(({ fromSide }) => fromSide).length;
    if (!remembers || epoch.superseded) {
      this.expose(candidates, most);
      return;
    }
    const deliveries = candidates.slice(0, prefetch).filter(({ message }) => !message.wasParked);
    const kept = new Set(deliveries);
    this.expose(
      candidates.filter((delivery) => !kept.has(delivery)),
      most,
    );
    const others = this.remembered.get(epoch.shard) ?? [];
    const all = [...others, { process: epoch.process, deliveries }];
    this.remembered.set(epoch.shard, all);
    this.exposeConfused(epoch, all);
  }

  /**
   * A copy that was sent again and not handled is equal to one that was: when both come again, the first to come is taken for the
   * copy, and so is handled, as is all that follows it of its key. That order holds is worth more than that nothing is done again.
   */
  private exposeConfused({ unsettled, process }: EpochState, remembered: readonly Remembered[]): void {
    const copies = [...unsettled].filter(({ started, message }) => !started && message.done > 0);
    const keys = new Set(copies.map(({ message }) => message.ref.key));
    if (keys.size === 0) return;
    for (const one of remembered) {
      if (one.process === process)
        this.expose(one.deliveries.filter(({ started, message }) => started && keys.has(message.ref.key)));
    }
  }

  /** Who gets a shard does not know what other processes had handled of it. */
  opened({ shard, process }: EpochState): void {
    const remembered = this.remembered.get(shard) ?? [];
    for (const one of remembered) if (one.process !== process) this.expose(one.deliveries);
    const own = remembered.filter((one) => one.process === process);
    this.remembered.set(shard, own);
  }

  /** What is set aside comes back later than all that was redelivered, when its process may have forgotten it. */
  parking(shard: number, message: MessageState): void {
    for (const { deliveries } of this.remembered.get(shard) ?? []) {
      this.expose(deliveries.filter((delivery) => delivery.message === message));
    }
  }

  /** @param most how many of them can come, whichever they are */
  private expose(deliveries: readonly DeliveryState[], most = Infinity): void {
    let exposed = 0;
    for (const delivery of deliveries) {
      if (delivery.returned) continue;
      delivery.returned = true;
      delivery.message.mayRepeat++;
      exposed++;
    }
    this.most += Math.min(exposed, most);
  }
}

/** The newest first. */
function settledSince({ settled }: EpochState, since: number): DeliveryState[] {
  const found: DeliveryState[] = [];
  for (let i = settled.length - 1; i >= 0 && settled[i]!.settledAt >= since; i--) found.push(settled[i]!);
  return found;
}

/** The first so many of those that came from the shard, and all that came from its side queue. */
function withinWindow(deliveries: readonly DeliveryState[], prefetch: number): DeliveryState[] {
  let left = prefetch;
  return deliveries.filter(({ fromSide }) => fromSide || left-- > 0);
}
