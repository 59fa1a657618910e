import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { EVERYBODY } from '@mississippi/history';
import type { ProxiedConnection } from '#support/tcp-proxy.js';
import { BrokerTrouble } from './faults/broker-trouble.js';
import { KeyTrouble, type KeyParts } from './faults/key-trouble.js';
import { StoreTrouble } from './faults/store-trouble.js';
import type { Place } from './place.js';
import type { Action, Step } from './schedule.js';
import type { Database } from './store/database.js';
import type { Replays } from './store/replays.js';
import type { Succession } from './store/succession.js';

/** A connection that is to be cut in the middle of a frame is cut anyway after so long. Milliseconds. */
const CUT_WAIT = 1_000;

export interface Field extends KeyParts {
  readonly workers: readonly Place[];
  /** Empty at first; whoever joins sits here, and leaves again. */
  readonly guests: readonly Place[];
  readonly publishers: readonly Place[];
  /** The keys to which most was published first. */
  busiest(): readonly string[];
  /** Where there is one. */
  readonly database?: Database | undefined;
  readonly replays?: Replays | undefined;
  readonly succession: Succession;
  /** Milliseconds. */
  readonly heartbeat: number;
  /** How long a handler may take. Milliseconds. */
  readonly handlerTimeout: number;
  /** How long the app may take until all is there again, and served. Milliseconds. */
  readonly patience: number;
  /** Publishes nothing more and lets everything be handled. Returns whether it came to that; if not, it goes on. */
  calm(): Promise<boolean>;
  /** Publishes again. */
  goOn(): void;
}

/** What a step does. Resolves when that is over, with whether the broker was seen to have it, where it was asked. */
type Act = () => Promise<boolean | void>;

/** Breaks what the schedule says, and heals it again. */
export class Nemesis {
  readonly done = new Map<Action, number>();
  /** How often the broker was seen to have what was done, of the actions about which it was asked. */
  readonly seen = new Map<Action, number>();
  /** Steps that found nobody to strike. */
  missed = 0;
  private readonly underWay = new Set<Promise<void>>();
  private readonly failures: unknown[] = [];
  private stopped = false;
  private brokerDown = false;
  private readonly wakeUp = new AbortController();
  private readonly trouble: BrokerTrouble;
  private readonly keys: KeyTrouble;
  private readonly store: StoreTrouble | undefined;

  constructor(
    private readonly field: Field,
    private readonly say: (line: string) => void,
  ) {
    setMaxListeners(0, this.wakeUp.signal);
    const { node, witness, recorder, patience } = field;
    const rest = (milliseconds: number): Promise<void> => this.rest(milliseconds);
    this.trouble = new BrokerTrouble(node, witness, recorder, patience, say, rest);
    this.keys = new KeyTrouble(field, say, rest);
    const { database, succession } = field;
    this.store = database && new StoreTrouble(database, succession, say, rest);
  }

  /** Keys that are to be set aside now. */
  get held(): ReadonlySet<string> {
    return this.keys.held;
  }

  /** How often a process was struck at each step, where there is a store. */
  get struck(): ReadonlyMap<string, number> {
    return this.store?.struck ?? new Map();
  }

  /** Follows the schedule until it is stopped. */
  async follow(steps: Iterable<Step>): Promise<void> {
    for (const step of steps) {
      await this.rest(step.wait);
      if (this.stopped) return;
      await this.strike(step);
    }
  }

  /** Begins one step; it ends by itself. */
  async strike(step: Step): Promise<void> {
    const act = await this.actOf(step);
    if (act === undefined) {
      this.missed++;
      return;
    }
    count(this.done, step.action, 1);
    const work = act().then(
      (seen) => {
        if (seen !== undefined) count(this.seen, step.action, seen ? 1 : 0);
      },
      (error: unknown) => void this.failures.push(error),
    );
    this.underWay.add(work);
    const over = work.finally(() => this.underWay.delete(work));
    // Nothing else strikes meanwhile.
    if (step.action === 'wipe') await over;
  }

  /** Begins nothing more, heals everything, and resolves when all of it is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wakeUp.abort();
    await this.settled();
    if (this.failures.length > 0) throw this.failures[0];
  }

  /** Resolves when nothing is broken. */
  async settled(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  private async actOf(step: Step): Promise<Act | undefined> {
    const { action, whom, much, more } = step;
    const keys = this.field.busiest();
    // Rather one that has messages: nothing happens to the others.
    const key = keys[Math.floor(whom ** 2 * keys.length)];
    if (key === undefined) return undefined;
    if (action === 'park') return this.keys.park(key, 500 + much * 4_000);
    if (action === 'sicken') return this.keys.sicken(key, 1_000 + much * 4_000);
    if (action === 'badRow') return this.store?.badRow(key, 300 + much ** 2 * 4_000);
    if (action === 'storeRestart') return this.store?.restart(whom, much * 2_000);
    if (action === 'replay') {
      const { replays } = this.field;
      return replays && (() => replays.more());
    }
    if (action === 'slow') return () => this.keys.slow(key, 3_000 + much * 5_000);
    if (this.brokerDown) return undefined;
    switch (action) {
      case 'slowSignal':
        // Some hold impatient callers up for longer than a busy machine would.
        return () => this.keys.slowSignal(key, Math.min(2_500 + much * 4_500, 0.7 * this.field.handlerTimeout));
      case 'alarm':
        return this.trouble.alarm(1_000 + much * 3_000);
      case 'deleteQueue':
        return this.trouble.deleteQueue(whom, more);
      case 'badQueue':
        return this.badQueue(whom, 2_000 + much * 4_000, more);
      case 'broker':
      case 'wipe':
        return this.end(action, much * 1_000);
      default:
        return this.actOn(step);
    }
  }

  private badQueue(whom: number, length: number, more: number): Act {
    return this.trouble.badQueue(whom, length, more, (shard) =>
      this.keys.parkOn(shard, this.field.busiest(), length / 2),
    );
  }

  /** The broker's end is everybody's, and who starts meanwhile could not. */
  private async end(action: 'broker' | 'wipe', pause: number): Promise<Act | undefined> {
    await this.settled();
    if (this.stopped) return undefined;
    if (action === 'broker') return () => this.breakBroker(pause);
    if (!(await this.field.calm())) return undefined;
    if (!this.stopped) return () => this.wipe(pause);
    this.field.goOn();
    return undefined;
  }

  /** What strikes a process. */
  private actOn({ action, whom, much, more }: Step): Act | undefined {
    const { publishers, guests, heartbeat } = this.field;
    const publisher = publishers[Math.floor(whom * publishers.length)]!;
    if (action === 'publisherCut') return this.holding(publisher, () => this.cut(publisher, much, more));
    if (action === 'publisherKill') return this.holding(publisher, () => this.restart(publisher, 'kill', much * 500));
    if (action === 'join') {
      const guest = guests.find(({ occupied, held }) => !occupied && !held);
      return guest && this.holding(guest, () => this.visit(guest, 2_000 + much * 6_000));
    }
    const { store } = this;
    if (action === 'storeCut' || action === 'storeFreeze') {
      const anybody = [...this.field.workers, ...guests, ...publishers].filter(({ up }) => up);
      const struck = anybody[Math.floor(whom * anybody.length)];
      if (store === undefined || struck === undefined) return undefined;
      if (action === 'storeCut') return () => store.cut(struck, much, more);
      return () => store.freeze(struck, 1_000 + much * 12_000);
    }
    if (action === 'storeSlow') {
      return store && (() => store.slow([...this.field.workers, ...publishers], more, 2_000 + much * 4_000));
    }
    const able = [...this.field.workers, ...guests].filter(({ up, held }) => up && !held);
    const place = able[Math.floor(whom * able.length)];
    // Somebody must be left to whom the shards can go.
    if (place === undefined || able.length < 2) return undefined;
    switch (action) {
      case 'kill':
        return this.holding(place, () => this.restart(place, 'kill', 200 + much * 2_500));
      case 'leave':
        return this.holding(place, () => this.restart(place, 'leave', 200 + much * 2_500));
      case 'stop':
        // The broker gives a silent consumer's shards away after 2 to 3 heartbeats.
        return this.holding(place, () => this.halt(place, 'stop', heartbeat * (3.3 + much)));
      case 'stall':
        return this.holding(place, () => this.halt(place, 'stall', heartbeat * (0.3 + 1.5 * much)));
      case 'dieAt':
        return store && this.holdingSeen(place, () => this.dieAt(store, place, much, more));
      case 'stopAt':
        return store && this.holdingSeen(place, () => store.stop(place, more, heartbeat * (3.3 + much)));
      case 'freeze':
        return this.holding(place, () => this.freeze(place, heartbeat, much, more));
      case 'cut':
        return this.holding(place, () => this.cut(place, much, more));
      case 'cutAll':
        return this.holding(place, async () => {
          this.field.recorder.record({ type: 'fault', fault: 'cut', target: place.current });
          place.proxy.cut();
        });
      default:
        return undefined;
    }
  }

  private holding(place: Place, act: () => Promise<void>): Act | undefined {
    return this.holdingSeen(place, act);
  }

  private holdingSeen(place: Place, act: Act): Act | undefined {
    if (place.held) return undefined;
    place.held = true;
    return async () => {
      try {
        return await act();
      } finally {
        place.held = false;
        place.changed();
      }
    };
  }

  private async restart(place: Place, how: 'kill' | 'leave', pause: number): Promise<void> {
    this.say(`${how} ${place.current}`);
    await place[how]();
    if (this.field.guests.includes(place)) return;
    await this.rest(pause);
    await place.start();
  }

  /** It is killed at a step; whoever follows in its place begins later. */
  private async dieAt(store: StoreTrouble, place: Place, much: number, more: number): Promise<boolean> {
    const died = await store.die(place, more);
    if (died && !this.field.guests.includes(place)) {
      await this.rest(200 + much * 2_000);
      await place.start();
    }
    return died;
  }

  private async visit(guest: Place, stay: number): Promise<void> {
    this.say(`join ${guest.name}`);
    await guest.start();
    guest.held = false;
    await this.rest(stay);
    await guest.until(`nothing holds ${guest.name}`, () => !guest.held, 60_000);
    if (!guest.occupied) return; // It was killed.
    guest.held = true;
    this.say(`leave ${guest.current}`);
    await guest.leave();
  }

  private async halt(place: Place, fault: 'stop' | 'stall', length: number): Promise<void> {
    this.say(`${fault} ${place.current} for ${Math.round(length)} ms`);
    place.stop(fault);
    await this.rest(length);
    place.continue();
  }

  /** Every other time a stall goes before, which sets the client's heartbeat timers behind the broker's. */
  private async freeze(place: Place, heartbeat: number, much: number, more: number): Promise<void> {
    if (more < 0.5) {
      await this.halt(place, 'stall', heartbeat * (0.5 + more));
      await this.rest(heartbeat);
    }
    const length = heartbeat * (3.3 + much);
    const target = place.current;
    this.say(`freeze ${target} for ${Math.round(length)} ms`);
    this.field.recorder.record({ type: 'fault', fault: 'freeze', target });
    place.proxy.freeze();
    await this.rest(length);
    place.proxy.heal();
    this.field.recorder.record({ type: 'healed', fault: 'freeze', target });
  }

  /** Cuts one connection after so many more bytes, most likely in the middle of a frame. */
  private async cut(place: Place, much: number, more: number): Promise<void> {
    const connections = [...place.proxy.connections];
    const connection = connections[Math.floor(much * connections.length)];
    if (connection === undefined) return;
    const target = place.current;
    this.say(`cut ${target}`);
    const record = (): void => this.field.recorder.record({ type: 'fault', fault: 'cut', target });
    await this.cutInTime(place, connection, more, record);
  }

  private async cutInTime(
    place: Place,
    connection: ProxiedConnection,
    more: number,
    record: () => void,
  ): Promise<void> {
    const late = setTimeout(() => {
      if (connection.ended) return;
      record();
      connection.cut();
    }, CUT_WAIT);
    await place.proxy.cutAfter(connection, more < 0.5 ? 'up' : 'down', 1 + Math.floor(more * 4_000), record);
    clearTimeout(late);
  }

  private async breakBroker(pause: number): Promise<void> {
    this.brokerDown = true;
    this.say('kill the broker');
    this.field.recorder.record({ type: 'fault', fault: 'broker', target: EVERYBODY });
    await this.field.node.kill();
    await this.rest(pause);
    await this.field.node.boot();
    this.field.recorder.record({ type: 'healed', fault: 'broker', target: EVERYBODY });
    this.say('the broker is back');
    await this.trouble.healAgain();
    this.brokerDown = false;
  }

  /** At a moment at which nothing would be lost by it. */
  private async wipe(pause: number): Promise<boolean> {
    this.brokerDown = true;
    try {
      return await this.trouble.wipe(pause, () => this.field.goOn());
    } finally {
      this.brokerDown = false;
    }
  }

  /** Waits; not at all once everything is to come to its end. */
  private async rest(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.wakeUp.signal }).catch(() => undefined);
  }
}

function count(counts: Map<Action, number>, action: Action, times: number): void {
  counts.set(action, (counts.get(action) ?? 0) + times);
}
