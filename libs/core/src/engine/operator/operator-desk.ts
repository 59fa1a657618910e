import { hostname } from 'node:os';
import { HeadNotWaitingError, KeyNotParkedError, NoStoreError } from '../../errors/index.js';
import type { DropProgress } from '../../interfaces/operator.interface.js';
import type { OperatorRequest } from '../../signals/operator-request.js';
import { keyId } from '../../keys/sharding-key.js';
import type { Environment } from '../base/environment.js';
import { NOBODY } from '../base/caller.js';
import type { KeyQueue } from '../keys/key-queue.js';
import { PendingEdit } from '../keys/pending-edit.js';
import { PendingSignal } from '../keys/pending-signal.js';
import type { OwnedShard } from '../shards/owned-shard.js';
import { rowOf, rowsOf, type KeyRow, type KeyWatchRow } from './key-row.js';
import { KeyWatches } from './key-watches.js';
import { lookAt } from './shard-look.js';
import { stackFor } from './shown-error.js';

/** Does what an operator asks of a shard that this process owns, or of a key of it. Keys are canonical. */
export class OperatorDesk {
  private readonly watches: KeyWatches;

  constructor(private readonly environment: Environment) {
    this.watches = new KeyWatches(environment);
  }

  /** What it resolves with is plain data, which travels as JSON. */
  async answer(shard: OwnedShard, key: Uint8Array, request: OperatorRequest): Promise<object> {
    switch (request.call) {
      case 'key':
        return keyOf(shard.queues.get(key));
      case 'watch':
        return this.watch(shard, key);
      case 'keys':
        return rowsOf(shard.queues.values(), request);
      case 'shard':
        return lookAt(shard, this.environment, request.over);
      case 'dropAll': {
        const progress = await this.dropAll(this.held(shard, key, 'dropAll'), request);
        this.tell(shard, key, request);
        return progress;
      }
      default:
        await this.act(shard, key, request);
        this.tell(shard, key, request);
        return keyOf(shard.queues.get(key));
    }
  }

  private watch({ index, queues }: OwnedShard, key: Uint8Array): KeyWatchRow {
    const queue = queues.get(key);
    const events = this.watches.look(index, keyId(key));
    return { ...keyOf(queue), stack: stackFor(queue?.tracker.lastError), events };
  }

  private async act(shard: OwnedShard, key: Uint8Array, request: OperatorRequest): Promise<void> {
    switch (request.call) {
      case 'pause':
        return shard.queue(key).tracker.park();
      case 'resume':
        return this.held(shard, key, 'resume').tracker.resume();
      case 'retry':
        return this.present(shard, key, 'retry').tracker.retry(request.messageId);
      case 'drop':
        return this.present(shard, key, 'drop').tracker.dropHead(request.messageId);
      case 'deactivate':
        return deactivate(shard.queues.get(key));
      case 'editState':
      case 'forgetState':
        return edit(shard, key, request);
      default:
        throw new TypeError(`this version does not know the call ${request.call}`);
    }
  }

  /** Whoever looks for why a key is parked, or a message gone, finds it in the log. */
  private tell({ index, epoch }: OwnedShard, bytes: Uint8Array, { call }: OperatorRequest): void {
    const key = this.environment.keyText(bytes);
    this.environment.log.warn(`An operator called ${call} for the key ${key} (shard ${index}).`, {
      event: 'operatorCalled',
      call,
      key,
      shard: index,
      epoch,
    });
  }

  /** A part of what is parked of a key, so that no request outlasts its time-out; less where the key is resumed meanwhile. */
  private async dropAll({ tracker }: KeyQueue, { most, messageId }: DropAllRequest): Promise<DropProgress> {
    let dropped = 0;
    const goesOn = (): boolean => dropped === 0 || tracker.parkedState === 'held';
    while (dropped < most && tracker.stored > 0 && goesOn()) {
      await tracker.drop(dropped === 0 ? messageId : undefined);
      dropped++;
    }
    return { dropped, left: tracker.parked };
  }

  /** @throws {HeadNotWaitingError} when there is nothing of the key */
  private present({ queues }: OwnedShard, key: Uint8Array, call: 'retry' | 'drop'): KeyQueue {
    const queue = queues.get(key);
    if (queue === undefined) throw new HeadNotWaitingError(this.environment.keyText(key), call, 'none');
    return queue;
  }

  /** @throws {KeyNotParkedError} when there is nothing of the key */
  private held({ queues }: OwnedShard, key: Uint8Array, call: 'resume' | 'dropAll'): KeyQueue {
    const queue = queues.get(key);
    if (queue === undefined) throw new KeyNotParkedError(this.environment.keyText(key), call);
    if (call === 'dropAll' && queue.tracker.parkedState !== 'held') {
      throw new KeyNotParkedError(this.environment.keyText(key), call, queue.tracker.parkedState);
    }
    return queue;
  }
}

function keyOf(queue: KeyQueue | undefined): { readonly key?: KeyRow } {
  return queue === undefined ? {} : { key: rowOf(queue) };
}

type DropAllRequest = Extract<OperatorRequest, { call: 'dropAll' }>;
type StateRequest = Extract<OperatorRequest, { call: 'editState' | 'forgetState' }>;

/** In its turn. */
async function edit(shard: OwnedShard, key: Uint8Array, request: StateRequest): Promise<void> {
  if (!shard.hasStore) throw new NoStoreError(request.call);
  const { version: revision, by, reason } = request;
  const given = request.call === 'editState' ? request.state : undefined;
  const state = given && { bytes: Buffer.from(given.bytes, 'base64'), version: given.form };
  const wanted = { revision, by, reason, process: `${hostname()}:${process.pid}`, state };
  await new Promise((resolve, reject) => {
    shard.queue(key).signal(new PendingEdit(wanted, resolve, reject));
  });
}

/** In its turn. */
async function deactivate(queue: KeyQueue | undefined): Promise<void> {
  if (queue?.activation.updater === undefined) return;
  await new Promise((resolve, reject) => {
    queue.signal(new PendingSignal('deactivate', undefined, NOBODY, resolve, reject));
  });
}
