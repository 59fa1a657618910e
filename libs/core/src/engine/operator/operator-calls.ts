import { describe } from '../../errors/describe.js';
import { NobodyAnswersError } from '../../errors/index.js';
import type {
  DropProgress,
  KeyFilter,
  KeyList,
  KeyReport,
  KeyWatch,
  OwnedShardReport,
  ShardReport,
  UnansweredShard,
} from '../../interfaces/operator.interface.js';
import type { ProcessInfo } from '../../interfaces/status.interface.js';
import { shardOfEncoded } from '../../keys/sharding-key.js';
import type { OperatorRequest } from '../../signals/operator-request.js';
import type { TransportConnection } from '../../transport/transport.interface.js';
import type { DeadLetterCalls } from './dead-letter-calls.js';
import { inParallel } from './in-parallel.js';
import { shardReportOf, type ShardRow } from './shard-look.js';
import { merged, reportOf, watchOf, type KeyRow, type KeyRows, type KeyWatchRow } from './key-row.js';
import type { OwnerRequests } from './owner-requests.js';
import { SilentOwners } from './silent-owners.js';
import type { StateCalls } from './state-calls.js';
import type { Pauses } from './pauses.js';

/** How many owners are asked at a time. */
const PARALLEL = 16;
/** Messages that one request drops at most. */
const MOST_DROPPED = 100;
/** The key of a request that is about a whole shard: the empty binary, which no message has. */
const NO_KEY = Uint8Array.of(131, 109, 0, 0, 0, 0);

/** What an operator asks and does, whichever process has it. Keys are canonical. */
export class OperatorCalls {
  constructor(
    private readonly connection: TransportConnection,
    private readonly requests: OwnerRequests,
    readonly processes: () => Promise<ProcessInfo[]>,
    readonly deadLetters: DeadLetterCalls,
    readonly states: StateCalls,
    readonly pauses: Pauses,
  ) {}

  /** @param over milliseconds over which the rate is taken */
  async shards(over: number, timeout: number): Promise<ShardReport[]> {
    const owners = await this.owners();
    const backlogs = await this.connection.backlogs?.();
    const owned = new Map<number, OwnedShardReport>();
    // All at once, since each of them counts for a while.
    await inParallel(owners.keys(), owners.size, async (shard) => {
      const report = await this.requests
        .ask(shard, NO_KEY, { call: 'shard', over }, timeout + over)
        .catch(() => undefined);
      if (report !== undefined) owned.set(shard, shardReportOf(report as ShardRow));
    });
    return Array.from({ length: this.connection.totalCount }, (_, shard) => ({
      shard,
      process: owners.get(shard),
      backlog: backlogs?.[shard],
      owned: owned.get(shard),
    }));
  }

  async keys({ troubled = false, shard, limit = 1_000 }: KeyFilter, timeout: number): Promise<KeyList> {
    const owners = shard === undefined ? await this.owners() : await this.namesOfOwners();
    const unanswered: UnansweredShard[] = [];
    const silent = new SilentOwners();
    let rows: KeyRows = { keys: [], more: 0 };
    await inParallel(shard === undefined ? owners.keys() : [shard], PARALLEL, async (index) => {
      const owner = owners.get(index);
      if (silent.has(owner)) {
        unanswered.push({ shard: index, reason: `${owner} was not asked, since it did not answer for another shard` });
        return;
      }
      try {
        const asked = this.requests.ask(index, NO_KEY, { call: 'keys', troubled, limit }, timeout);
        const found = await silent.watch(owner, asked);
        rows = merged(rows, found as KeyRows, limit);
      } catch (error) {
        unanswered.push({ shard: index, reason: describe(error) });
      }
    });
    const keys = rows.keys.map((row) => reportOf(row, owners.get(row.shard)));
    return { keys, more: rows.more, unanswered: unanswered.sort((a, b) => a.shard - b.shard) };
  }

  /** Asks about a key, or acts on it, and tells how it stands then; `undefined` where nothing of it is in memory or parked. */
  async key(key: Uint8Array, request: OperatorRequest, timeout: number): Promise<KeyReport | undefined> {
    const { key: row } = (await this.requests.ask(this.shardOf(key), key, request, timeout)) as { key?: KeyRow };
    return row === undefined ? undefined : reportOf(row, (await this.namesOfOwners()).get(row.shard));
  }

  async watch(key: Uint8Array, timeout: number): Promise<KeyWatch> {
    const shard = this.shardOf(key);
    const row = (await this.requests.ask(shard, key, { call: 'watch' }, timeout)) as KeyWatchRow;
    return watchOf(row, (await this.namesOfOwners()).get(shard));
  }

  /**
   * Drops what is in the side queue at the first request, part by part.
   * @param messageId of the first one, where nothing is to be dropped if another comes first
   * @param timeout of each part, milliseconds
   */
  async dropAll(
    key: Uint8Array,
    messageId: string | undefined,
    timeout: number,
    told: (progress: DropProgress) => void,
  ): Promise<number> {
    let [dropped, total] = [0, Infinity];
    while (dropped < total) {
      const most = Math.min(MOST_DROPPED, total - dropped);
      const part = (await this.requests.ask(
        this.shardOf(key),
        key,
        { call: 'dropAll', most, messageId: dropped === 0 ? messageId : undefined },
        timeout,
      )) as DropProgress;
      dropped += part.dropped;
      total = Math.min(total, dropped + part.left);
      told({ dropped, left: total - dropped });
      if (part.dropped === 0) break;
    }
    return dropped;
  }

  private shardOf(key: Uint8Array): number {
    return shardOfEncoded(key, this.connection.totalCount);
  }

  /** The same for reports, in which a name may be missing: the owner was asked, and has answered, whoever else is frozen. */
  private namesOfOwners(): Promise<ReadonlyMap<number, string>> {
    return this.owners().catch((error: unknown) => {
      if (error instanceof NobodyAnswersError) return new Map<number, string>();
      throw error;
    });
  }

  /** Names of the processes, by the shards that they own. */
  private async owners(): Promise<Map<number, string>> {
    const owners = new Map<number, string>();
    for (const { name, shards } of await this.processes()) for (const shard of shards) owners.set(shard, name);
    return new Map([...owners].sort(([a], [b]) => a - b));
  }
}
