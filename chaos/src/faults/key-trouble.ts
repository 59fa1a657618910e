import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shardOf } from '@mississippi/core';
import type { Recorder } from '@mississippi/history';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import type { Operator } from '../operator.js';
import { heldMark, sickMark, slowMark } from '../protocol.js';
import type { Witness } from './witness.js';

/** How long those who wait behind a slow signal do, as a share of what it takes: some give up, some just get their turn. */
const PATIENCES = [0.1, 0.3, 0.6, 1, 1.5];

export interface KeyParts {
  readonly node: RabbitMqNode;
  readonly operator: Operator;
  readonly recorder: Recorder;
  readonly witness: Witness;
  readonly folder: string;
}

/** What befalls single keys. Each resolves when it is over, most with whether the broker was seen to have it. */
export class KeyTrouble {
  /** Keys that are to be set aside now. */
  readonly held = new Set<string>();

  constructor(
    private readonly parts: KeyParts,
    private readonly say: (line: string) => void,
    private readonly rest: (milliseconds: number) => Promise<void>,
  ) {}

  /** An operator parks the key, and resumes it. */
  park(key: string, length: number): (() => Promise<boolean>) | undefined {
    const { operator } = this.parts;
    return this.alone(key, async () => {
      operator.signal(key, 'park');
      await this.rest(length);
      const seen = await this.isAside(key);
      operator.signal(key, 'resume');
      return seen;
    });
  }

  /** An operator parks a key of a shard, if one of these is: the first that is not set aside already. */
  async parkOn(shard: number, keys: readonly string[], length: number): Promise<void> {
    const key = keys.find((one) => this.shardOf(one) === shard && !this.held.has(one));
    if (key !== undefined) await this.park(key, length)?.();
  }

  /** The key's handler fails until it is healed; its messages are set aside meanwhile. */
  sicken(key: string, length: number): (() => Promise<boolean>) | undefined {
    const { operator, recorder } = this.parts;
    return this.alone(key, async () => {
      recorder.record({ type: 'operator', call: 'sicken', key });
      const seen = await this.marked(sickMark(key), length, () => this.isAside(key));
      recorder.record({ type: 'operator', call: 'heal', key });
      operator.signal(key, 'resume');
      return seen;
    });
  }

  async slow(key: string, length: number): Promise<void> {
    this.say(`slow ${key} for ${Math.round(length)} ms`);
    await this.marked(slowMark(key), length, () => Promise.resolve());
  }

  /** A signal that takes long, and others that wait behind it. */
  async slowSignal(key: string, length: number): Promise<boolean> {
    const { operator, witness } = this.parts;
    this.say(`slow signals to ${key}, ${Math.round(length)} ms`);
    operator.signal(key, 'wait', length, length + 5_000);
    for (const patience of PATIENCES) operator.signal(key, 'wait', 0, length * patience);
    const [seen] = await Promise.all([
      this.isWaiting(witness.names.signals(this.shardOf(key))),
      this.rest(length * Math.max(...PATIENCES)),
    ]);
    return seen;
  }

  /** One at a time sets a key aside. */
  private alone(key: string, act: () => Promise<boolean>): (() => Promise<boolean>) | undefined {
    if (this.held.has(key)) return undefined;
    return async () => {
      this.held.add(key);
      const mark = join(this.parts.folder, heldMark(key));
      writeFileSync(mark, '');
      try {
        return await act();
      } finally {
        rmSync(mark, { force: true });
        this.held.delete(key);
      }
    };
  }

  /** Puts a mark up for a while. Returns what is asked for before it is taken down. */
  private async marked<T>(name: string, length: number, ask: () => Promise<T>): Promise<T> {
    const mark = join(this.parts.folder, name);
    writeFileSync(mark, '');
    await this.rest(length);
    try {
      return await ask();
    } finally {
      rmSync(mark, { force: true });
    }
  }

  /** Whether anything lies in the side queue of the key's shard. */
  private async isAside(key: string): Promise<boolean> {
    const { witness } = this.parts;
    return ((await witness.queue(witness.names.parked(this.shardOf(key))))?.messages ?? 0) > 0;
  }

  /** Whether signals wait in a queue, delivered and not acked. */
  private async isWaiting(queue: string): Promise<boolean> {
    const columns = ['name', 'messages_unacknowledged'];
    const list = await this.parts.node.ask('list_queues', '--silent', '--no-table-headers', ...columns);
    const line = list.split('\n').find((text) => text.startsWith(`${queue}\t`));
    return Number(line?.split('\t')[1] ?? 0) > 0;
  }

  private shardOf(key: string): number {
    return shardOf(key, { totalCount: this.parts.witness.layout.shards });
  }
}
