import {
  canonicalKey,
  keyId,
  type Delivery,
  type MessageHeaders,
  type MessageProperties,
  type ParkedEntry,
  type ParkedMode,
} from '@mississippi/core/transport';
import { encodeRecord } from './record-file.js';
import type { FileFolder } from './file-folder.js';

/** A message as it lies in its file; of a foreign producer anything may be missing. */
export interface StoredMessage {
  readonly key?: Uint8Array | undefined;
  readonly body: Uint8Array;
  readonly headers?: MessageHeaders | undefined;
  readonly messageId?: string | undefined;
  readonly timestamp?: number | undefined;
  readonly properties?: MessageProperties | undefined;
}

export interface FileDelivery extends Delivery {
  /** Its place in the shard's file. */
  readonly number: number;
}

/** A message that was moved aside. The message itself stays where it is. */
interface Move {
  readonly number: number;
  readonly mode: ParkedMode;
  readonly notes: MessageHeaders;
}

type Mark = { readonly settled: readonly number[] } | { readonly delivered: number };

/** What the files of a shard say at the beginning of an epoch, and what is appended during it. */
export class ShardFiles {
  readonly parked: ParkedEntry[] = [];
  /** By number, in the order of the moves. */
  readonly sideQueue = new Map<number, FileDelivery>();
  private readonly settled = new Set<number>();
  private readonly early: FileDelivery[];
  private readonly known: number;
  private delivered = 0;
  private count = 0;
  private end = 0;

  constructor(
    private readonly folder: FileFolder,
    private readonly shard: number,
  ) {
    for (const mark of folder.settlements(shard).read(0).values as Mark[]) {
      if ('delivered' in mark) this.delivered = mark.delivered;
      else for (const number of mark.settled) this.settled.add(number);
    }
    this.known = this.delivered;
    const messages = this.read();
    const moves = folder.moves(shard).read(0).values as Move[];
    for (const { number, mode, notes } of moves) {
      const delivery = messages.get(number);
      if (delivery === undefined) continue;
      messages.delete(number);
      this.sideQueue.set(number, { ...delivery, redelivered: true });
      const key = keyOf(delivery) === undefined ? undefined : delivery.key;
      const { messageId, properties } = delivery;
      this.parked.push({ key, mode, notes, messageId, type: properties?.type });
    }
    this.early = [...messages.values()];
  }

  /** The unsettled messages that were not read yet. */
  next(): FileDelivery[] {
    return [...this.early.splice(0), ...this.read().values()];
  }

  settle(numbers: readonly number[]): void {
    if (numbers.length > 0) this.mark({ settled: numbers });
  }

  /** Written before the delivery: the next owner must know of it even if this process is killed. */
  deliver(last: FileDelivery): void {
    if (last.number < this.delivered) return;
    this.delivered = last.number + 1;
    this.mark({ delivered: this.delivered });
  }

  private mark(mark: Mark): void {
    this.folder.settlements(this.shard).append(encodeRecord(mark));
  }

  private read(): Map<number, FileDelivery> {
    const { values, end } = this.folder.messages(this.shard).read(this.end);
    this.end = end;
    const found = new Map<number, FileDelivery>();
    for (const message of values as StoredMessage[]) {
      const number = this.count++;
      if (!this.settled.has(number)) found.set(number, deliveryOf(message, number, number < this.known));
    }
    return found;
  }
}

function deliveryOf(message: StoredMessage, number: number, redelivered: boolean): FileDelivery {
  const { key, body, headers = {}, messageId, timestamp, properties } = message;
  const delivery = { key, body, headers, messageId, timestamp, redelivered, number };
  return properties === undefined ? delivery : { ...delivery, properties };
}

/** What messages of a key are found by, whatever its spelling; `undefined` for all that have no key that can be read. */
export function keyOf({ key }: { key?: Uint8Array | undefined }): string | undefined {
  try {
    return key && keyId(canonicalKey(key));
  } catch {
    return undefined;
  }
}
