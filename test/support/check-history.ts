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
  readonly process: string;
  readonly shard: ShardState;
  /** Its process knows that it is over. */
  lost: boolean;
  /** A later epoch of the shard, in another process, has got deliveries. */
  superseded: boolean;
  readonly deliveries: DeliveryState[];
  /** The last delivery of each message. */
  readonly latest: Map<string, DeliveryState>;
}

interface ShardState {
  /** The epoch that got deliveries last. */
  current: EpochState | undefined;
  /** What a process had handled in an epoch that it lost: it does not handle that again, but another may. */
  remembered: { readonly process: string; readonly deliveries: readonly DeliveryState[] }[];
}

interface KeyState {
  readonly messages: MessageState[];
  /** A message of it was on its way into the side queue at least once. */
  wasMoved: boolean;
  /** Every message before this one was handled, or finished for good. */
  frontier: number;
  /** The flights that run, by process. */
  readonly flights: Map<string, { readonly name: string; readonly epoch: string; readonly text: string }>;
}

/** Goes through a history event by event and notes what the promises do not allow. */
class Checker {
  readonly violations: string[] = [];
  duplicates = 0;
  mostDuplicates = 0;
  private readonly keys = new Map<string, KeyState>();
  private readonly deliveries = new Map<string, DeliveryState>();
  private readonly epochs = new Map<string, EpochState>();
  private readonly shards = new Map<string, ShardState>();
  /** Flights that started while another process was in flight, in an epoch that it may not know yet to be lost. */
  private readonly overlaps: { readonly text: string; readonly epoch: string }[] = [];
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
    for (const { text, epoch } of this.overlaps) {
      if (!this.epoch(epoch).lost) this.violations.push(`${text}, and ${epoch} was never lost`);
    }
    for (const { messages, flights } of this.keys.values()) {
      for (const message of messages) {
        const { ref, confirmed, handled, mayRepeat } = message;
        if (confirmed && !isDone(message)) this.violations.push(`${textOf(ref)} was confirmed and is lost`);
        if (handled <= 1 + mayRepeat) continue;
        this.violations.push(
          `${textOf(ref)} was handled ${handled} times, but the faults explain only ${1 + mayRepeat}`,
        );
      }
      for (const { text } of flights.values()) this.violations.push(`the flight of ${text} never ended`);
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
    const epoch = this.epoch(event.epoch);
    this.opened(epoch);
    epoch.deliveries.push(delivery);
    epoch.latest.set(text, delivery);
  }

  /** An epoch gets deliveries: those before it are over, and what other processes remember may come again. */
  private opened(epoch: EpochState): void {
    const { shard, process } = epoch;
    if (shard.current === epoch) return;
    if (shard.current !== undefined && shard.current.process !== process) shard.current.superseded = true;
    shard.current = epoch;
    for (const { deliveries } of shard.remembered.filter((one) => one.process !== process)) this.expose(deliveries);
    shard.remembered = shard.remembered.filter((one) => one.process === process);
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
    const epoch = this.epoch(event.epoch);
    if (epoch.lost) this.violations.push(`${text} started in ${event.epoch}, which was lost`);
    else if (epoch.superseded)
      this.violations.push(`${text} started in ${event.epoch}, after another process had the shard`);
    for (const [process, flight] of key.flights) {
      const overlap = `${text} started while ${flight.text} was in flight`;
      // A process cannot be stopped from outside; it hears with a delay that the broker gave its shard to another.
      if (process === event.process) this.violations.push(overlap);
      else this.overlaps.push({ text: overlap, epoch: flight.epoch });
    }
    while (key.frontier < event.seq) {
      const earlier = key.messages[key.frontier];
      if (earlier === undefined || !isDone(earlier)) {
        this.violations.push(`${text} started before ${event.key}#${key.frontier} was handled: a gap`);
        break;
      }
      key.frontier++;
    }
    if (message.handled > 0) this.duplicates++;
    key.flights.set(event.process, { name: event.flight, epoch: event.epoch, text });
    const delivery = epoch.latest.get(text);
    if (delivery !== undefined) delivery.started = true;
  }

  private landed(event: HistoryEvent & { type: 'handled' | 'failed' | 'abandoned' }): void {
    const key = this.key(event.key);
    if (event.type === 'handled') this.message(event).handled++;
    // Else it was abandoned, and ended late.
    if (key.flights.get(event.process)?.name === event.flight) key.flights.delete(event.process);
  }

  /**
   * What had started and was not settled may come once more, and what was settled last. A process that lives on knows what
   * it handled and does not handle it again, but another that gets the shard may; and a move into the side queue may have
   * left a copy.
   */
  private lost(name: string, remembers: boolean): void {
    const epoch = this.epoch(name);
    if (epoch.lost) return;
    epoch.lost = true;
    const { process, shard, superseded } = epoch;
    const deliveries = epoch.deliveries.splice(0);
    epoch.latest.clear();
    const moved = deliveries.filter((delivery) => this.wasMoved(delivery));
    const flown = deliveries.filter(
      (delivery) => !this.wasMoved(delivery) && (delivery.started || delivery.message.handled > 0),
    );
    if (!remembers || superseded) {
      this.expose([...moved, ...flown]);
    } else {
      this.expose(moved);
      shard.remembered.push({ process, deliveries: flown });
    }
  }

  /** Of what was settled the broker may not have got the ack, of so many as the prefetch window holds. */
  private expose(deliveries: readonly DeliveryState[]): void {
    const latestFirst = deliveries.toSorted((one, other) => (one.settledAt < other.settledAt ? 1 : -1));
    const open = latestFirst.findIndex(({ settledAt }) => settledAt < Infinity);
    const candidates = latestFirst.slice(0, (open < 0 ? latestFirst.length : open) + this.prefetch);
    for (const { message } of candidates) message.mayRepeat++;
    this.mostDuplicates += Math.min(candidates.length, this.prefetch);
  }

  private wasMoved({ message }: DeliveryState): boolean {
    return this.key(message.ref.key).wasMoved;
  }

  private crashed(process: string): void {
    for (const name of this.epochs.keys()) if (name.startsWith(`${process}:`)) this.lost(name, false);
    for (const { flights } of this.keys.values()) flights.delete(process);
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
      this.keys.set(name, (key = { messages: [], wasMoved: false, frontier: 0, flights: new Map() }));
    return key;
  }

  private epoch(name: string): EpochState {
    let epoch = this.epochs.get(name);
    if (epoch === undefined) {
      const [, process = '', shard = ''] = /^(.*):(\d+)\/\d+$/.exec(name) ?? [];
      const state = { process, shard: this.shard(shard), lost: false, superseded: false };
      this.epochs.set(name, (epoch = { ...state, deliveries: [], latest: new Map() }));
    }
    return epoch;
  }

  private shard(index: string): ShardState {
    let shard = this.shards.get(index);
    if (shard === undefined) this.shards.set(index, (shard = { current: undefined, remembered: [] }));
    return shard;
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
