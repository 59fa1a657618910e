import { textOf, type HistoryEvent, type MessageRef, type Numbered } from './history.js';

export interface Verdict {
  /** Promises that were broken, one line each. */
  readonly violations: readonly string[];
  /** Flights that handled a message which was handled before. */
  readonly duplicates: number;
  /** How many there might have been, from what was unconfirmed or unsettled at the faults. */
  readonly mostDuplicates: number;
}

interface MessageState {
  readonly ref: MessageRef;
  confirmed: boolean;
  handled: number;
  deadLettered: boolean;
  /** It need not be handled: it was refused, or its queue was deleted. */
  excused: boolean;
  /** How often the faults may have brought it again: it was unconfirmed, or a killed process had not settled it. */
  mayRepeat: number;
}

interface DeliveryState {
  readonly text: string;
  readonly epoch: string;
  readonly message: MessageState;
  started: boolean;
  /** `Infinity` until it is settled. */
  settledAt: number;
}

interface EpochState {
  lost: boolean;
  readonly deliveries: DeliveryState[];
  /** The last delivery of each message. */
  readonly latest: Map<string, DeliveryState>;
}

interface KeyState {
  readonly messages: MessageState[];
  /** A message of it was on its way into the side queue at least once. */
  wasMoved: boolean;
  /** Every message before this one was handled, or finished for good. */
  frontier: number;
  /** The flight that runs, with its process and what it handles. */
  flight: { readonly name: string; readonly process: string; readonly text: string } | undefined;
}

/** Goes through a history event by event and notes what the promises do not allow. */
class Checker {
  readonly violations: string[] = [];
  duplicates = 0;
  mostDuplicates = 0;
  private readonly keys = new Map<string, KeyState>();
  private readonly deliveries = new Map<string, DeliveryState>();
  private readonly epochs = new Map<string, EpochState>();
  private readonly unconfirmed = new Set<MessageState>();

  constructor(private readonly prefetch: number) {}

  see(event: HistoryEvent): void {
    switch (event.type) {
      case 'publish':
        this.unconfirmed.add(this.message(event));
        break;
      case 'confirm':
        this.message(event).confirmed = true;
        this.unconfirmed.delete(this.message(event));
        break;
      case 'refuse':
        this.unconfirmed.delete(this.message(event));
        this.message(event).excused = true;
        break;
      case 'excuse':
        this.message(event).excused = true;
        break;
      case 'deliver':
        this.delivered(event);
        break;
      case 'move':
        this.key(event.key).wasMoved = true;
        break;
      case 'settle':
      case 'park':
      case 'deadLetter':
        this.settled(event);
        break;
      case 'start':
        this.started(event);
        break;
      case 'handled':
      case 'failed':
      case 'abandoned':
        this.landed(event);
        break;
      case 'lost':
        this.lost(event.epoch, true);
        break;
      case 'crash':
        this.crashed(event.process);
        break;
      case 'fault':
        for (const message of this.unconfirmed) message.mayRepeat++;
        this.mostDuplicates += this.unconfirmed.size;
        break;
    }
  }

  /** Everything came to rest. */
  end(): void {
    for (const { messages, flight } of this.keys.values()) {
      for (const message of messages) {
        const { ref, confirmed, handled, mayRepeat } = message;
        if (confirmed && !isDone(message)) this.violations.push(`${textOf(ref)} was confirmed and is lost`);
        if (handled <= 1 + mayRepeat) continue;
        this.violations.push(
          `${textOf(ref)} was handled ${handled} times, but the faults explain only ${1 + mayRepeat}`,
        );
      }
      if (flight !== undefined) this.violations.push(`the flight of ${flight.text} never ended`);
    }
    if (this.duplicates <= this.mostDuplicates) return;
    this.violations.push(
      `${this.duplicates} messages were handled again, but the faults explain only ${this.mostDuplicates}`,
    );
  }

  private delivered(event: HistoryEvent & { type: 'deliver' }): void {
    if (this.epoch(event.epoch).lost)
      this.violations.push(`${textOf(event)} was delivered in ${event.epoch}, which was lost`);
    const text = textOf(event);
    const message = this.message(event);
    const delivery = { text, epoch: event.epoch, message, started: false, settledAt: Infinity };
    this.deliveries.set(event.delivery, delivery);
    const { deliveries, latest } = this.epoch(event.epoch);
    deliveries.push(delivery);
    latest.set(text, delivery);
  }

  private settled(event: HistoryEvent & { type: 'settle' | 'park' | 'deadLetter' }): void {
    const text = textOf(event);
    const delivery = this.deliveries.get(event.delivery);
    const message = this.message(event);
    if (delivery === undefined || delivery.text !== text) {
      this.violations.push(`${text} was settled by the delivery ${event.delivery}, which did not bring it`);
      return;
    }
    if (delivery.epoch !== event.epoch) {
      this.violations.push(`${text} came in ${delivery.epoch} and was settled in ${event.epoch}`);
    }
    if (delivery.settledAt < Infinity)
      this.violations.push(`the delivery ${event.delivery} of ${text} was settled twice`);
    if (this.epoch(event.epoch).lost) this.violations.push(`${text} was settled in ${event.epoch}, which was lost`);
    delivery.settledAt = event.at;
    if (event.type === 'deadLetter') message.deadLettered = true;
    if (event.type === 'settle' && message.handled === 0)
      this.violations.push(`${text} was settled before it was handled`);
  }

  private started(event: HistoryEvent & { type: 'start' }): void {
    const key = this.key(event.key);
    const text = textOf(event);
    const message = this.message(event);
    if (key.flight !== undefined) this.violations.push(`${text} started while ${key.flight.text} was in flight`);
    while (key.frontier < event.seq) {
      const earlier = key.messages[key.frontier];
      if (earlier === undefined || !isDone(earlier)) {
        this.violations.push(`${text} started before ${event.key}#${key.frontier} was handled: a gap`);
        break;
      }
      key.frontier++;
    }
    if (message.handled > 0) this.duplicates++;
    key.flight = { name: event.flight, process: event.process, text };
    const delivery = this.epoch(event.epoch).latest.get(text);
    if (delivery !== undefined) delivery.started = true;
  }

  private landed(event: HistoryEvent & { type: 'handled' | 'failed' | 'abandoned' }): void {
    const key = this.key(event.key);
    if (event.type === 'handled') this.message(event).handled++;
    if (key.flight?.name === event.flight) key.flight = undefined; // Else it was abandoned, and ended late.
  }

  /**
   * What had started and was not settled may come once more, and what was settled last: the broker may not have got the
   * ack, of so many as the prefetch window holds. A process that lives on knows what it handled and does not handle it
   * again; but a move into the side queue may have left a copy.
   */
  private lost(name: string, remembers: boolean): void {
    const epoch = this.epoch(name);
    if (epoch.lost) return;
    epoch.lost = true;
    const exposed = epoch.deliveries
      .filter(({ message, started }) => this.key(message.ref.key).wasMoved || (started && !remembers))
      .sort((one, other) => (one.settledAt < other.settledAt ? 1 : -1));
    const open = exposed.findIndex(({ settledAt }) => settledAt < Infinity);
    const candidates = exposed.slice(0, (open < 0 ? exposed.length : open) + this.prefetch);
    for (const { message } of candidates) message.mayRepeat++;
    this.mostDuplicates += Math.min(candidates.length, this.prefetch);
    epoch.deliveries.length = 0;
    epoch.latest.clear();
  }

  private crashed(process: string): void {
    for (const name of this.epochs.keys()) if (name.startsWith(`${process}:`)) this.lost(name, false);
    for (const key of this.keys.values()) if (key.flight?.process === process) key.flight = undefined;
  }

  private message(ref: MessageRef): MessageState {
    const { messages } = this.key(ref.key);
    return (messages[ref.seq] ??= {
      ref,
      confirmed: false,
      handled: 0,
      deadLettered: false,
      excused: false,
      mayRepeat: 0,
    });
  }

  private key(name: string): KeyState {
    let key = this.keys.get(name);
    if (key === undefined)
      this.keys.set(name, (key = { messages: [], wasMoved: false, frontier: 0, flight: undefined }));
    return key;
  }

  private epoch(name: string): EpochState {
    let epoch = this.epochs.get(name);
    if (epoch === undefined) this.epochs.set(name, (epoch = { lost: false, deliveries: [], latest: new Map() }));
    return epoch;
  }
}

function isDone({ handled, deadLettered, excused }: MessageState): boolean {
  return handled > 0 || deadLettered || excused;
}

/**
 * Checks a finished history: order, one flight per key, settlements, nothing confirmed lost, and no more duplicates than
 * the faults explain.
 * @param prefetch most unsettled deliveries of one epoch
 */
export function checkHistory(events: readonly HistoryEvent[], prefetch = 300): Verdict {
  const checker = new Checker(prefetch);
  // What another process wrote is read some time after it happened.
  for (const event of events.toSorted((one, other) => one.at - other.at)) checker.see(event);
  checker.end();
  const { violations, duplicates, mostDuplicates } = checker;
  return { violations, duplicates, mostDuplicates };
}

/** The sequence numbers of one key's flights that were handled, in their order. */
export function handledOrder(events: readonly HistoryEvent[], key: Numbered['key']): number[] {
  return events.flatMap((event) => (event.type === 'handled' && event.key === key ? [event.seq] : []));
}
