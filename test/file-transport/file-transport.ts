import {
  describe,
  type OutgoingMessage,
  type ShardConsumer,
  type Transport,
  type TransportConnection,
  type TransportContext,
  type TransportStatus,
} from '@mississippi/core/transport';
import type { FileFolder } from './file-folder.js';
import { FileSession } from './file-session.js';
import { FileWriter } from './file-writer.js';

/** Milliseconds that a shard rests which the core could not open. */
const REST = 100;

export interface FileTransportOptions {
  readonly folder: FileFolder;
  /** Number of shards. */
  readonly totalCount: number;
  /** Maximum number of unsettled deliveries per shard. */
  readonly prefetch: number;
}

/**
 * The smallest durable transport: each shard is a file of messages and a file of settlements, for one process. What is
 * written outlives the process; the files are not synced to the disk, and never get smaller.
 */
export function fileTransport(options: FileTransportOptions): Transport {
  return { name: 'file', connect: (context) => Promise.resolve(new FileConnection(options, context)) };
}

export class FileConnection implements TransportConnection {
  readonly durable = true;
  readonly totalCount: number;
  readonly prefetch: number;
  private readonly sessions = new Set<FileSession>();
  private readonly resting = new Set<number>();
  private readonly folder: FileFolder;
  private readonly writer: FileWriter;
  private consumer: ShardConsumer | undefined;
  private connected = true;

  constructor(
    { folder, totalCount, prefetch }: FileTransportOptions,
    private readonly context: TransportContext,
  ) {
    this.folder = folder;
    this.totalCount = totalCount;
    this.prefetch = prefetch;
    this.writer = new FileWriter(context.clock);
  }

  readonly publisher = {
    publish: ({ shard, ...message }: OutgoingMessage, timeout: number): Promise<void> =>
      this.writer.write(this.folder.messages(shard), message, timeout),
    deadLetter: (letter: OutgoingMessage, timeout: number): Promise<void> =>
      this.writer.write(this.folder.deadLetters, letter, timeout),
  };

  consume(consumer: ShardConsumer): Promise<void> {
    this.consumer = consumer;
    this.folder.claimants.add(this.claimSoon);
    for (let shard = 0; shard < this.totalCount; shard++) this.claim(shard);
    return Promise.resolve();
  }

  status(): TransportStatus {
    return { connected: this.connected, blocked: this.writer.blocked, shards: this.sessions.size };
  }

  stopClaiming(): void {
    this.consumer = undefined;
    this.folder.claimants.delete(this.claimSoon);
  }

  close(): Promise<void> {
    this.stopClaiming();
    this.connected = false;
    this.writer.close();
    for (const session of this.sessions) {
      session.flush();
      session.lose(new Error('The transport was closed.'));
    }
    return Promise.resolve();
  }

  /** What happens to it when its process is killed: nothing that waits is written any more. */
  crash(): void {
    this.stopClaiming();
    this.connected = false;
    this.writer.crash();
    for (const session of this.sessions) session.giveUp(new Error('The process was killed.'));
  }

  private readonly claimSoon = (shard: number): void => {
    this.context.clock.soon(() => this.claim(shard));
  };

  private claim(shard: number): void {
    const { consumer, folder, context } = this;
    if (consumer === undefined || this.resting.has(shard) || folder.owner(shard) !== undefined) return;
    const onEnd = () => this.sessions.delete(session);
    const session = new FileSession(shard, folder, this.writer, context.clock, this.prefetch, onEnd);
    this.sessions.add(session);
    void this.open(session, consumer);
  }

  private async open(session: FileSession, consumer: ShardConsumer): Promise<void> {
    try {
      session.start(await consumer.open(session));
    } catch (error) {
      this.context.logger.warn(`Shard ${session.shard} could not be opened: ${describe(error)}`);
      this.resting.add(session.shard);
      await session.close();
      const again = () => {
        this.resting.delete(session.shard);
        this.claim(session.shard);
      };
      this.context.clock.after(REST, again, true);
    }
  }
}
