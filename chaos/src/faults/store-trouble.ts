import type { TcpProxy } from '#support/tcp-proxy.js';
import type { Place } from '../place.js';
import type { Database } from '../store/database.js';
import { POINTS } from '../store/steps.js';
import type { Succession } from '../store/succession.js';

/** How long a process may take to come to the step at which it is to be struck. Milliseconds. */
const TO_THE_STEP = 4_000;

/** How long a frozen transaction's successor is waited for beyond the heartbeats, before the process goes on. Milliseconds. */
const SUCCESSOR = 15_000;

/** How long at most everything that goes to the database or comes from it is held up. Milliseconds. */
const SLOWEST = 400;

type Restart = 'fast' | 'immediate' | 'kill';

/** What befalls the database, the way to it, and processes in the middle of what they ask of it. */
export class StoreTrouble {
  /** How often a process was struck at each step. */
  readonly struck = new Map<string, number>();
  private restarting = false;
  private readonly bad = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly succession: Succession,
    private readonly say: (line: string) => void,
    private readonly rest: (milliseconds: number) => Promise<void>,
  ) {}

  /** One at a time. */
  restart(share: number, pause: number): (() => Promise<void>) | undefined {
    if (this.restarting) return undefined;
    const how = pick<Restart>(['fast', 'immediate', 'kill'], share);
    return async () => {
      this.restarting = true;
      try {
        this.say(`the database ends (${how}) for ${Math.round(pause)} ms`);
        const { server } = this.database;
        await (how === 'kill' ? server.kill() : server.shut(how));
        await this.rest(pause);
        await server.boot();
        this.say('the database is back');
      } finally {
        this.restarting = false;
      }
    };
  }

  /** Resets connections of a process to the database: every other time in the next answer, which does not arrive. */
  async cut(place: Place, much: number, more: number): Promise<boolean> {
    const proxy = place.storeProxy!;
    const connections = [...proxy.connections];
    if (connections.length === 0) return false;
    this.say(`cut ${place.current} from the database`);
    if (more < 0.25) proxy.cut();
    else if (more < 0.75) for (const connection of connections) connection.cutAfter('down', 0, () => undefined);
    else {
      const bytes = Math.floor(much * 4_000);
      for (const connection of connections) connection.cutAfter(much < 0.5 ? 'up' : 'down', bytes, () => undefined);
    }
    await this.rest(1_000);
    return connections.some(({ ended }) => ended);
  }

  async slow(places: readonly Place[], much: number, length: number): Promise<void> {
    const delay = 20 + Math.floor(much * SLOWEST);
    this.say(`a database that answers ${delay} ms later, twice, for ${Math.round(length)} ms`);
    const proxies = proxiesOf(places);
    for (const proxy of proxies) proxy.delay = delay;
    await this.rest(length);
    for (const proxy of proxies) proxy.delay = 0;
  }

  async freeze(place: Place, length: number): Promise<void> {
    this.say(`${place.current} hears nothing of the database for ${Math.round(length)} ms`);
    place.storeProxy!.freeze();
    await this.rest(length);
    place.storeProxy!.heal();
  }

  badRow(key: string, length: number): (() => Promise<void>) | undefined {
    if (this.bad.has(key)) return undefined;
    return async () => {
      this.bad.add(key);
      this.say(`the database refuses the state of ${key} for ${Math.round(length)} ms`);
      await this.database.spoil(key);
      await this.rest(length);
      await this.database.heal(key);
      this.bad.delete(key);
    };
  }

  /** Returns whether it came to the step. */
  async die(place: Place, share: number): Promise<boolean> {
    const point = pick(POINTS, share);
    const struck = await place.strikeAt(point, 'die', TO_THE_STEP);
    if (struck !== undefined) this.count(point);
    this.say(struck === undefined ? `nobody came to '${point}'` : `${place.current} died ${point}`);
    return struck !== undefined;
  }

  /** It stands still until its shards have other owners, and goes on then. Returns whether it came to the step. */
  async stop(place: Place, share: number, length: number): Promise<boolean> {
    // Every other time within a transaction.
    const point = share < 0.5 ? POINTS[share < 0.25 ? 0 : 1]! : pick(POINTS, share * 2 - 1);
    const frozen = place.current;
    const struck = await place.strikeAt(point, 'stop', TO_THE_STEP);
    if (struck === undefined) {
      this.say(`nobody came to '${point}'`);
      return false;
    }
    this.count(point);
    this.say(`${frozen} froze ${point}, for ${Math.round(length)} ms or longer`);
    const { key, shard } = struck;
    const wait = key === undefined ? undefined : this.succession.expect(key, shard!, frozen);
    await this.rest(length);
    const end = performance.now() + SUCCESSOR;
    while (wait !== undefined && !this.succession.isOver(wait) && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    if (wait !== undefined) this.succession.giveUp(wait);
    place.continue();
    return true;
  }

  private count(point: string): void {
    this.struck.set(point, (this.struck.get(point) ?? 0) + 1);
  }
}

function proxiesOf(places: readonly Place[]): TcpProxy[] {
  return places.flatMap(({ storeProxy }) => (storeProxy === undefined ? [] : [storeProxy]));
}

function pick<T>(items: readonly T[], share: number): T {
  return items[Math.floor(share * items.length)]!;
}
