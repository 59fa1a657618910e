import { describe } from '../../errors/describe.js';
import { PublishError } from '../../errors/index.js';
import { keyId, shardOfEncoded } from '../../keys/sharding-key.js';
import type { OutboxMessage, OutboxPosition, OutboxRow } from '../../store/store.interface.js';
import { LogLimit } from '../../log-limit.js';
import { withTrace } from '../../outgoing/with-trace.js';
import type { TraceHeaders } from '../../telemetry/telemetry.interface.js';
import type { Publisher } from '../../transport/transport.interface.js';
import { itemOf, type CommittedAt } from './commit-item.js';
import type { ShardCommits } from './shard-commits.js';
import type { StoreLink } from './store-link.js';

/** Rows that are read at once. */
const PAGE = 500;
/** Rows in memory above which those that are committed are read again later. */
const MOST_IN_MEMORY = 5_000;

/** What a refused row becomes. */
export type RefusedRow = (message: OutboxMessage, error: PublishError) => OutboxMessage;

/** What the sender needs of its instance. */
export interface OutboxParts {
  readonly link: StoreLink;
  readonly publisher: Publisher;
  readonly totalCount: number;
  /** Whether a row is done with once the transport has taken it; else when its message was handled. */
  readonly doneWhenTaken: boolean;
  /** A row is about to be handed to a transport that does not keep it. */
  readonly taken: (row: OutboxRow) => void;
  readonly refused: RefusedRow;
}

/** Rows in memory above which no attempt of the shard starts. */
const CONGESTED = MOST_IN_MEMORY;

/** A row that waits, or is under way. */
interface WaitingRow {
  readonly row: OutboxRow;
  /** When it came here, on the engine's clock. */
  readonly since: number;
}

/** What one destination of one source waits for. */
interface Chain {
  /** The first is under way. */
  readonly rows: WaitingRow[];
  /** Why the first was not taken at the last try. */
  problem: string | undefined;
}

/** The row of an outbox that waits the longest. */
export interface OldestRow {
  readonly message: OutboxMessage;
  readonly since: number;
  readonly problem: string | undefined;
}

/**
 * Publishes the rows of one shard's outbox, in order: what former epochs left first. Of two rows with one source and one
 * destination the second waits for the confirm of the first.
 */
export class OutboxSender {
  /** By source and destination. */
  private readonly chains = new Map<string, Chain>();
  private held = 0;
  private done: OutboxPosition[] = [];
  private doneScheduled = false;
  /** The last row that was read or taken over; what is committed behind it is in the store only, while {@link behind}. */
  private last: OutboxPosition | undefined;
  /** Whether rows are in the store that are not here. */
  private behind = true;
  private reading = false;
  /** Rows were committed while some were read. */
  private missed = false;
  private stopped = false;
  private readonly limit: LogLimit;

  constructor(
    private readonly commits: ShardCommits,
    private readonly parts: OutboxParts,
  ) {
    this.limit = new LogLimit(parts.link.clock);
  }

  /** Called when it is congested no longer. */
  relieved: () => void = () => undefined;

  /** Whether the broker takes so little that nothing may be added. */
  get congested(): boolean {
    return this.held >= CONGESTED;
  }

  /** Rows that wait or are not confirmed; those that are not in memory are left out. */
  get length(): number {
    return this.held;
  }

  /** Whether it sends nothing any more. */
  get over(): boolean {
    return this.stopped;
  }

  /** The row that waits the longest: rows of a chain leave in their order. */
  get oldest(): OldestRow | undefined {
    let found: OldestRow | undefined;
    for (const { rows, problem } of this.chains.values()) {
      const { row, since } = rows[0]!;
      if (found === undefined || since < found.since) found = { message: row.message, since, problem };
    }
    return found;
  }

  /** Reads what former epochs left. */
  start(): void {
    this.read();
  }

  /** Rows were committed, if there were any. */
  committed({ number, firstRow }: CommittedAt, messages: readonly OutboxMessage[]): void {
    if (this.stopped || messages.length === 0) return;
    if (this.behind || this.length >= MOST_IN_MEMORY) {
      this.behind = true;
      // What is being read may not have them.
      this.missed = this.reading;
      this.read();
      return;
    }
    const { shard, epoch } = this.commits;
    messages.forEach((message, index) => {
      const position = { shard, epoch, commit: number, index: firstRow + index };
      if (this.last !== undefined && !isBehind(position, this.last)) return; // It was read before its commit was answered.
      this.last = position;
      this.send({ position, message });
    });
  }

  stop(): void {
    this.stopped = true;
    this.chains.clear();
  }

  private read(): void {
    if (!this.behind || this.reading || this.stopped || this.length >= MOST_IN_MEMORY - PAGE) return;
    this.reading = true;
    const { link } = this.parts;
    const { last } = this;
    void link
      .ask(
        () => link.connection.outbox(this.commits.shard, last, PAGE),
        () => this.stopped,
      )
      .then((rows) => {
        this.reading = false;
        if (rows === undefined || this.stopped) return;
        for (const row of rows) {
          this.last = row.position;
          this.send(row);
        }
        const { missed } = this;
        this.missed = false;
        if (rows.length < PAGE && !missed) this.behind = false;
        else this.read();
      });
  }

  private send(row: OutboxRow): void {
    const name = chainOf(row.message);
    const waiting = { row, since: this.parts.link.clock.now() };
    const chain = this.chains.get(name);
    if (chain === undefined) {
      this.chains.set(name, { rows: [waiting], problem: undefined });
      this.publish(row, name, 1);
    } else {
      chain.rows.push(waiting);
    }
    this.held++;
  }

  private publish(row: OutboxRow, chain: string, tries: number): void {
    if (this.stopped) return;
    if (tries === 1 && !this.doneWhenTaken(row)) this.parts.taken(row);
    this.hand(row).then(
      () => this.published(row, chain),
      (error: unknown) => this.failed(row, chain, tries, error),
    );
  }

  private hand({ message }: OutboxRow): Promise<void> {
    const { publisher, totalCount } = this.parts;
    const { kind, key, body, headers, messageId, timestamp, properties } = message;
    const outgoing = {
      shard: shardOfEncoded(key, totalCount),
      key,
      body,
      headers,
      messageId,
      properties,
      timestamp: timestamp ?? Math.floor(this.parts.link.clock.time() / 1000),
    };
    if (kind === 'deadLetter') return publisher.deadLetter!(outgoing, Infinity);
    const { telemetry } = this.parts.link;
    const send = (headers?: TraceHeaders): Promise<void> =>
      publisher.publish(withTrace(outgoing, headers), Infinity, true);
    if (telemetry?.active !== true) return send();
    return telemetry.around({ kind: 'relay', message: outgoing }, (headers) => send(headers));
  }

  private published(row: OutboxRow, chain: string): void {
    if (this.stopped) return;
    if (this.doneWhenTaken(row)) this.remove(row.position);
    this.next(chain);
  }

  /** What stands for a refused row is in the dead letters: what follows the row waits until it is gone, or it could come after that. */
  private replaced(row: OutboxRow, chain: string): void {
    const committed = (): void => {
      if (!this.stopped) this.next(chain);
    };
    this.commits.add(itemOf({ sent: [row.position] }, { committed }));
  }

  private doneWhenTaken({ message }: OutboxRow): boolean {
    return this.parts.doneWhenTaken || message.kind === 'deadLetter';
  }

  private failed(row: OutboxRow, chain: string, tries: number, error: unknown): void {
    if (this.stopped) return;
    const { link } = this.parts;
    this.chains.get(chain)!.problem = describe(error);
    if (error instanceof PublishError && error.reason === 'closed') return; // It stays, for whoever owns the shard next.
    if (error instanceof PublishError && error.reason === 'too_large' && row.message.kind === 'message') {
      link.log.error(
        `A message ${row.message.messageId} from the outbox of shard ${this.commits.shard} is refused by the broker and dead-lettered: ${describe(error)}`,
        { event: 'outboxRefused', shard: this.commits.shard, messageId: row.message.messageId },
        error,
      );
      this.replace({ position: row.position, message: this.parts.refused(row.message, error) }, chain, 1);
      return;
    }
    this.limit.tell((more, untold) => {
      link.log.warn(
        `A row of the outbox of shard ${this.commits.shard} was not taken by the broker and is tried again: ${describe(error)}${more}`,
        { event: 'outboxPostponed', shard: this.commits.shard, messageId: row.message.messageId, tries, untold },
        error,
      );
    });
    void link.pause(tries).then(() => this.publish(row, chain, tries + 1));
  }

  private replace(letter: OutboxRow, chain: string, tries: number): void {
    if (this.stopped) return;
    this.hand(letter).then(
      () => this.replaced(letter, chain),
      () => void this.parts.link.pause(tries).then(() => this.replace(letter, chain, tries + 1)),
    );
  }

  private next(chain: string): void {
    const { congested } = this;
    this.held--;
    if (congested && !this.congested) this.relieved();
    const waiting = this.chains.get(chain)!;
    waiting.problem = undefined;
    waiting.rows.shift();
    if (waiting.rows.length === 0) this.chains.delete(chain);
    else this.publish(waiting.rows[0]!.row, chain, 1);
    this.read();
  }

  /** The row goes with one of the next commits of the shard. */
  private remove(position: OutboxPosition): void {
    this.done.push(position);
    if (this.doneScheduled) return;
    this.doneScheduled = true;
    this.parts.link.clock.soon(() => {
      this.doneScheduled = false;
      const sent = this.done;
      this.done = [];
      this.commits.add(itemOf({ sent })); // Refused, it is sent once more, and recognised.
    });
  }
}

function isBehind(a: OutboxPosition, b: OutboxPosition): boolean {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch;
  return a.commit === b.commit ? a.index > b.index : a.commit > b.commit;
}

function chainOf({ source, key, kind }: OutboxMessage): string {
  return `${kind}/${source === undefined ? '' : keyId(source)}/${keyId(key)}`;
}
