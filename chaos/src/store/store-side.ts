import type { PlacePlan } from '../place.js';
import type { LiveView } from '../live-view.js';
import { audit, expectedOf, noFindings, type Expected, type Findings, type StorePromised } from './audit.js';
import { enqueuedCounts, readBooks, rowsLeft } from './books.js';
import { SCHEMA, type Database } from './database.js';
import type { Letters } from './letters.js';
import type { Replays } from './replays.js';

/** What the end of a run with a store is judged by. */
export class StoreSide {
  constructor(
    readonly database: Database,
    private readonly view: LiveView,
    private readonly letters: Letters,
    readonly replays: Replays,
    private readonly plan: PlacePlan,
    private readonly inQueues: () => Promise<number>,
  ) {}

  /** What all that was published must have led to by the end. */
  async expected(): Promise<Expected> {
    const { published } = this.view;
    return expectedOf({ published, enqueued: await enqueuedCounts(this.database) }, this.plan, this.replays.chosen);
  }

  /** Looks at everything. */
  async findings(): Promise<Findings> {
    const expected = await this.expected();
    const found = audit(await readBooks(this.database, SCHEMA, this.plan.keys), expected);
    await this.letters.collect();
    const { ids } = this.letters;
    for (const id of expected.letters) if (!ids.has(id)) found.deadLetters.push(id);
    for (const id of ids.keys()) if (!expected.letters.has(id)) found.strangeLetters.push(id);
    const queued = await this.inQueues();
    for (let message = 0; message < queued; message++) found.queues.push('a message');
    found.frozenLong.push(...this.view.succession.late);
    found.crashed.push(...this.view.crashed);
    return found;
  }

  /** What moves as long as something is done. */
  async progress(): Promise<string> {
    const { outbox, enqueued } = await rowsLeft(this.database, SCHEMA);
    const [inbox] = await this.database.rows<{ count: string }>(`SELECT count(*)::text FROM ${SCHEMA}.inbox`);
    return `${outbox} in the outbox, ${enqueued} enqueued, ${await this.inQueues()} in queues, ${inbox!.count} in the inbox`;
  }

  /** Whether nothing is left to do. */
  async isDone(): Promise<boolean> {
    const { outbox, enqueued } = await rowsLeft(this.database, SCHEMA);
    if (outbox + enqueued + (await this.inQueues()) > 0) return false;
    return broken({ ...(await this.findings()), ...LASTING }).length === 0;
  }
}

/** What no waiting can mend. */
const LASTING = { frozenLong: [], crashed: [] };

/** The promises against which something was found. */
export function broken(findings: Findings): StorePromised[] {
  return (Object.keys(noFindings()) as StorePromised[]).filter((promise) => findings[promise].length > 0);
}
