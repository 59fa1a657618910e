import { EVERYBODY, type EventOf, type FaultName } from './events.js';
import { epochName } from './ownership.js';

/**
 * An ack that was not on its way for so long when its process was struck may not have arrived. The library coalesces acks
 * for some milliseconds; a busy machine adds to that, and a reset drops what the proxy has not read. Milliseconds.
 */
const ACK_DELAY = 1_000;

/** A classic queue writes acks to disk lazily: a killed broker brings back what was acked shortly before. Milliseconds. */
const BROKER_DELAY = 10_000;

/** How long settled deliveries are remembered. Milliseconds. */
const MEMORY = 60_000;

/** Messages that may come once more. */
interface Repeatable {
  mayRepeat: number;
}

interface DeliveryState {
  readonly message: Repeatable;
  /** `Infinity` until it is settled. */
  settledAt: number;
  /** It was counted: one delivery returns once. */
  returned: boolean;
}

interface ProcessState {
  readonly deliveries: Map<number, DeliveryState>;
  readonly epochs: Map<string, Set<DeliveryState>>;
  recent: DeliveryState[];
  faultAt: number;
}

/**
 * Which deliveries the faults may have brought back: what was unsettled when an epoch was lost, and what was settled so
 * late that its ack may not have arrived.
 */
export class Returns {
  private readonly processes = new Map<string, ProcessState>();

  delivered(event: EventOf<'deliver'>, message: Repeatable): void {
    const state = this.process(event.process);
    const delivery = { message, settledAt: Infinity, returned: false };
    state.deliveries.set(event.delivery, delivery);
    const name = epochName(event.process, event);
    const epoch = state.epochs.get(name);
    if (epoch === undefined) state.epochs.set(name, new Set([delivery]));
    else epoch.add(delivery);
  }

  /** Returns the message that was delivered under the number, or `undefined` where there is none left to settle. */
  settled(event: EventOf<'settle' | 'move' | 'deadLetter'>): Repeatable | undefined {
    const state = this.process(event.process);
    const delivery = state.deliveries.get(event.delivery);
    if (delivery === undefined) return undefined;
    state.deliveries.delete(event.delivery);
    state.epochs.get(epochName(event.process, event))?.delete(delivery);
    delivery.settledAt = event.mono;
    state.recent.push(delivery);
    if (state.recent.length > 5_000 && state.recent[2_500]!.settledAt < event.mono - MEMORY)
      state.recent.splice(0, 2_500);
    return delivery.message;
  }

  /** An epoch was lost: all that it held comes again. */
  lost(event: EventOf<'lost'>): void {
    const state = this.process(event.process);
    this.loseEpoch(state, epochName(event.process, event));
    this.loseRecent(state, Math.min(event.mono, state.faultAt) - ACK_DELAY);
  }

  killed(process: string, mono: number): void {
    const state = this.process(process);
    for (const name of state.epochs.keys()) this.loseEpoch(state, name);
    this.loseRecent(state, mono - ACK_DELAY);
  }

  fault(fault: FaultName, target: string, mono: number): void {
    const delay = fault === 'broker' ? BROKER_DELAY : ACK_DELAY;
    for (const [process, state] of this.processes) {
      if (target !== EVERYBODY && target !== process) continue;
      state.faultAt = mono;
      this.loseRecent(state, mono - delay);
    }
  }

  /** What was settled under the fault may not have got through. */
  healed(target: string): void {
    for (const [process, state] of this.processes) {
      if (target === EVERYBODY || target === process) this.loseRecent(state, state.faultAt - ACK_DELAY);
    }
  }

  private loseEpoch(state: ProcessState, name: string): void {
    for (const delivery of state.epochs.get(name) ?? []) mayReturn(delivery);
    state.epochs.delete(name);
  }

  private loseRecent(state: ProcessState, since: number): void {
    for (let i = state.recent.length - 1; i >= 0; i--) {
      const delivery = state.recent[i]!;
      if (delivery.settledAt < since) return;
      mayReturn(delivery);
    }
  }

  private process(name: string): ProcessState {
    let state = this.processes.get(name);
    if (state === undefined) {
      state = { deliveries: new Map(), epochs: new Map(), recent: [], faultAt: Infinity };
      this.processes.set(name, state);
    }
    return state;
  }
}

function mayReturn(delivery: DeliveryState): void {
  if (delivery.returned) return;
  delivery.returned = true;
  delivery.message.mayRepeat++;
}
