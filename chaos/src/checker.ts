import { EVERYBODY, inOrderOfTime, type ChaosEvent, type EventOf, type FaultName, type MessageRef } from './events.js';
import { Ownership, type Unserved } from './ownership.js';
import { Returns } from './returns.js';

export const PROMISES = [
  'lost',
  'phantom',
  'outOfOrder',
  'overlapWithin',
  'overlapAcross',
  'startedInLostEpoch',
  'settledUnhandled',
  'settledInLostEpoch',
  'unexplainedDuplicate',
  'stuck',
  'crashed',
] as const;

/** A promise that can be broken. */
export type Promised = (typeof PROMISES)[number];

export interface Violation {
  readonly promise: Promised;
  readonly text: string;
  readonly key: string | undefined;
  /** When it was seen, on the monotonic clock. */
  readonly mono: number;
}

export interface Verdict {
  readonly violations: readonly Violation[];
  readonly published: number;
  readonly confirmed: number;
  /** Messages that were handled or dead-lettered, once or more. */
  readonly done: number;
  readonly flights: number;
  /** How often a message was done once more than needed. */
  readonly duplicates: number;
  /** How often the faults may have brought a message again: unsettled deliveries and unconfirmed messages at each. */
  readonly mostDuplicates: number;
  readonly unserved: readonly Unserved[];
  readonly epochs: number;
  readonly backlog: Backlog;
}

/** How much there was to bring into disorder. */
export interface Backlog {
  /** Flights that started while later messages of their key were published. */
  readonly pressed: number;
  /** Most messages that waited behind one flight. */
  readonly most: number;
  /** Most messages of one key. */
  readonly longest: number;
}

/**
 * For how long after a fault a process cannot know of it: a flight that it starts meanwhile counts as started before. A
 * reset must be read first, a stop signal be delivered; of a freeze it need not know, since nobody gets its shards so soon.
 * Milliseconds.
 */
const NOTICE: Readonly<Record<FaultName, number>> = { kill: 5, stop: 5, stall: 5, cut: 50, broker: 50, freeze: 0 };

interface MessageState {
  readonly ref: MessageRef;
  confirmed: boolean;
  published: boolean;
  refused: boolean;
  /** Flights that handled it, and dead letters of it. */
  done: number;
  mayRepeat: number;
}

interface FlightState {
  readonly flight: number;
  readonly process: string;
  readonly id: string;
  readonly since: number;
}

interface KeyState {
  readonly messages: MessageState[];
  /** Every message before this one is done. */
  frontier: number;
  published: number;
  done: number;
  readonly flights: FlightState[];
}

/** Goes through a history event by event and notes what the promises do not allow. */
class Checker {
  readonly violations: Violation[] = [];
  readonly ownership = new Ownership();
  flights = 0;
  private pressed = 0;
  private mostWaiting = 0;
  private readonly returns = new Returns();
  private readonly messages = new Map<string, MessageState>();
  private readonly keys = new Map<string, KeyState>();
  private readonly unconfirmed = new Map<string, Set<MessageState>>();
  private readonly faults = new Map<string, { readonly mono: number; readonly notice: number }[]>();
  private left: EventOf<'stuck'> | undefined;

  see(event: ChaosEvent): void {
    switch (event.type) {
      case 'publish':
        this.published(event);
        break;
      case 'confirm':
      case 'refuse':
        this.answered(event);
        break;
      case 'interrupted':
        for (const message of this.unconfirmedOf(event.process)) message.mayRepeat++;
        break;
      case 'deliver':
        this.delivered(event);
        break;
      case 'settle':
      case 'move':
      case 'deadLetter':
        this.settled(event);
        break;
      case 'start':
        this.started(event);
        break;
      case 'end':
        this.landed(event);
        break;
      case 'lost':
        this.returns.lost(event);
        break;
      case 'fault':
        this.fault(event);
        break;
      case 'healed':
        this.returns.healed(event.target);
        break;
      case 'exit':
        this.exited(event);
        break;
      case 'stuck':
        this.left = event;
        break;
      default:
    }
    this.ownership.see(event);
  }

  /** Everything came to rest, or did not. */
  end(mono: number): Verdict {
    let duplicates = 0;
    let mostDuplicates = 0;
    let [confirmed, done] = [0, 0];
    const stuckKeys = new Set<string>();
    for (const message of this.messages.values()) {
      const { ref } = message;
      if (message.confirmed) confirmed++;
      if (message.done > 0) done++;
      const repeats = Math.max(0, message.done - 1);
      duplicates += repeats;
      mostDuplicates += message.mayRepeat;
      if (message.confirmed && message.done === 0) {
        if (this.left === undefined) this.violate('lost', `${ref.id} was confirmed and never handled`, ref.key, mono);
        else stuckKeys.add(ref.key);
      }
      if (repeats > message.mayRepeat) {
        const text = `${ref.id} was done ${message.done} times, but the faults explain only ${1 + message.mayRepeat}`;
        this.violate('unexplainedDuplicate', text, ref.key, mono);
      }
    }
    for (const key of stuckKeys) this.violate('stuck', `the key ${key} did not come to rest`, key, mono);
    if (this.left !== undefined && stuckKeys.size === 0) {
      this.violate('stuck', `${this.left.messages} messages were left in the queues and did not move`, undefined, mono);
    }
    const { violations, flights, pressed, mostWaiting: most } = this;
    const longest = [...this.keys.values()].reduce((longest, { published }) => Math.max(longest, published), 0);
    const published = this.messages.size;
    return {
      violations,
      published,
      confirmed,
      done,
      flights,
      duplicates,
      mostDuplicates,
      unserved: this.ownership.unserved,
      epochs: this.ownership.epochs,
      backlog: { pressed, most, longest },
    };
  }

  private published(event: EventOf<'publish'>): void {
    const message = this.message(event);
    // A publisher that begins anew sends again what its predecessor had not confirmed.
    if (message.published) message.mayRepeat++;
    else this.key(event.key).published++;
    message.published = true;
    this.unconfirmedOf(event.process).add(message);
  }

  private answered(event: EventOf<'confirm' | 'refuse'>): void {
    const message = this.message(event);
    if (event.type === 'confirm') message.confirmed = true;
    else message.refused = true;
    this.unconfirmedOf(event.process).delete(message);
  }

  private delivered(event: EventOf<'deliver'>): void {
    this.expectPublished(event, 'was delivered');
    this.returns.delivered(event, this.message(event));
  }

  private settled(event: EventOf<'settle' | 'move' | 'deadLetter'>): void {
    const { id, key, mono, process } = event;
    const message = this.message(event);
    if (this.returns.settled(event) !== message) {
      this.violate(
        'settledUnhandled',
        `${id} was settled in ${process} by a delivery that did not bring it`,
        key,
        mono,
      );
    }
    if (this.ownership.hasEnded(process, event)) {
      this.violate('settledInLostEpoch', `${id} was settled in ${process} for an epoch that had ended`, key, mono);
    }
    if (event.type === 'settle' && message.done === 0) {
      this.violate('settledUnhandled', `${id} was settled in ${process} before it was handled`, key, mono);
    }
    if (event.type === 'deadLetter') this.finished(message);
  }

  private started(event: EventOf<'start'>): void {
    this.flights++;
    const { id, key, seq, process, mono } = event;
    this.expectPublished(event, 'was handled');
    const state = this.key(key);
    for (const other of state.flights) this.overlap(event, other);
    const refusal = this.ownership.refusal(process, event);
    if (refusal !== undefined)
      this.violate('startedInLostEpoch', `${id} started in ${process}, but ${refusal}`, key, mono);
    while (state.frontier < seq && isDone(state.messages[state.frontier])) state.frontier++;
    if (state.frontier < seq) {
      const missing = `${key}#${state.frontier}`;
      this.violate('outOfOrder', `${id} started in ${process} before ${missing} was handled: a gap`, key, mono);
    }
    const waiting = state.published - state.done - 1;
    if (waiting > 0) this.pressed++;
    this.mostWaiting = Math.max(this.mostWaiting, waiting);
    state.flights.push({ flight: event.flight, process, id, since: mono });
  }

  private overlap(event: EventOf<'start'>, other: FlightState): void {
    const { id, process, key, mono } = event;
    if (other.process === process) {
      this.violate('overlapWithin', `${id} started in ${process} while ${other.id} was in flight there`, key, mono);
      return;
    }
    const faults = [...(this.faults.get(other.process) ?? []), ...(this.faults.get(EVERYBODY) ?? [])];
    if (faults.some((fault) => other.since < fault.mono + fault.notice)) return;
    const text = `${id} started in ${process} while ${other.id} was in flight in ${other.process}, whom no fault had struck since`;
    this.violate('overlapAcross', text, key, mono);
  }

  private landed(event: EventOf<'end'>): void {
    const { flights } = this.key(event.key);
    const index = flights.findIndex(({ flight, process }) => flight === event.flight && process === event.process);
    if (index >= 0) flights.splice(index, 1);
    if (event.outcome === 'handled') this.finished(this.message(event));
  }

  private finished(message: MessageState): void {
    if (message.done++ === 0) this.key(message.ref.key).done++;
  }

  private fault({ fault, target, mono }: EventOf<'fault'>): void {
    const faults = this.faults.get(target) ?? [];
    faults.push({ mono, notice: NOTICE[fault] });
    this.faults.set(target, faults);
    this.returns.fault(fault, target, mono);
  }

  private exited({ target, how, mono }: EventOf<'exit'>): void {
    if (how === 'crashed') this.violate('crashed', `${target} ended by itself`, undefined, mono);
    if (how !== 'left') this.returns.killed(target, mono);
    for (const { flights } of this.keys.values()) {
      for (let i = flights.length - 1; i >= 0; i--) if (flights[i]!.process === target) flights.splice(i, 1);
    }
  }

  private expectPublished({ id, key, seq, process, mono }: MessageRef & ChaosEvent, what: string): void {
    const message = this.messages.get(id);
    if (message?.published === true && message.ref.key === key && message.ref.seq === seq) return;
    this.violate(
      'phantom',
      `${id || 'a message without an id'} ${what} in ${process}, but nobody published it so`,
      key,
      mono,
    );
  }

  private violate(promise: Promised, text: string, key: string | undefined, mono: number): void {
    this.violations.push({ promise, text, key, mono });
  }

  private unconfirmedOf(process: string): Set<MessageState> {
    let set = this.unconfirmed.get(process);
    if (set === undefined) this.unconfirmed.set(process, (set = new Set()));
    return set;
  }

  private message({ id, key, seq }: MessageRef): MessageState {
    let message = this.messages.get(id);
    if (message === undefined) {
      message = { ref: { id, key, seq }, confirmed: false, published: false, refused: false, done: 0, mayRepeat: 0 };
      this.messages.set(id, message);
      if (seq >= 0) this.key(key).messages[seq] = message;
    }
    return message;
  }

  private key(name: string): KeyState {
    let key = this.keys.get(name);
    if (key === undefined)
      this.keys.set(name, (key = { messages: [], frontier: 0, published: 0, done: 0, flights: [] }));
    return key;
  }
}

function isDone(message: MessageState | undefined): boolean {
  return message !== undefined && (message.done > 0 || message.refused);
}

/** Checks a finished history, in any order of its files. */
export function checkHistory(events: readonly ChaosEvent[]): Verdict {
  const checker = new Checker();
  const ordered = inOrderOfTime(events);
  for (const event of ordered) checker.see(event);
  return checker.end(ordered.at(-1)?.mono ?? 0);
}
