import { isReplay, type EventOf, type HistoryEvent } from '@mississippi/history';

/** `over`: messages that were handled or are dead letters, replays left out. `fed`: messages that were read from a side queue. `failed`, `attempted`: attempts. `terminated`: data updaters. */
type What =
  'over' | 'attempted' | 'failed' | 'parked' | 'fed' | 'deadLettered' | 'released' | 'replayed' | 'terminated';

/** Counts what a history has, of all, of each key and of each type of messages, without going through it again and again. */
export class Tally {
  private readonly counts = new Map<string, number>();
  private readonly over = new Set<string>();
  private seen = 0;

  constructor(
    private readonly events: readonly HistoryEvent[],
    private readonly typeOf?: (message: { readonly key: string; readonly seq: number }) => string,
  ) {}

  /** @param of a key, or a type of messages; left out: of all */
  count(what: What, of = ''): number {
    for (; this.seen < this.events.length; this.seen++) this.see(this.events[this.seen]!);
    return this.counts.get(`${what} ${of}`) ?? 0;
  }

  private see(event: HistoryEvent): void {
    if (isOver(event) && !isReplay(event) && !this.over.has(event.id)) {
      this.over.add(event.id);
      this.increase('over ');
      this.increase(`over ${event.key}`);
    }
    const what = whatOf(event);
    if (what === undefined) return;
    this.increase(`${what} `);
    if (!('key' in event)) return;
    this.increase(`${what} ${event.key}`);
    if ('seq' in event && this.typeOf !== undefined) this.increase(`${what} ${this.typeOf(event)}`);
  }

  private increase(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}

function isOver(event: HistoryEvent): event is EventOf<'ended' | 'deadLettered'> & HistoryEvent {
  if (event.type === 'ended') return event.callback === 'handleMessage' && event.outcome === 'ok';
  return event.type === 'deadLettered';
}

function whatOf(event: HistoryEvent): What | undefined {
  switch (event.type) {
    case 'started':
      return event.callback === 'handleMessage' ? 'attempted' : undefined;
    case 'ended':
      if (event.callback === 'terminate') return 'terminated';
      return event.callback === 'handleMessage' && event.outcome === 'failed' ? 'failed' : undefined;
    case 'published':
      return isReplay(event) ? 'replayed' : undefined;
    case 'delivered':
      return event.fromSide ? 'fed' : undefined;
    case 'parked':
    case 'deadLettered':
    case 'released':
      return event.type;
    default:
      return undefined;
  }
}
