import { KeyNotParkedError, OwnKeyError, ShardNotOwnedError, ShuttingDownError } from '../errors/index.js';
import type { DataUpdaterRef } from '../interfaces/live-key.interface.js';
import type { MessageHeaders } from '../interfaces/message-headers.interface.js';
import { inspectKey } from '../keys/sharding-key.js';
import type { MessageOutcome } from '../outcomes.js';
import type { TransportConnection } from '../transport/transport.interface.js';
import type { Environment } from './base/environment.js';
import type { KeyQueue } from './keys/key-queue.js';
import { PendingSignal } from './keys/pending-signal.js';
import { signalKey } from './keys/signal-key.js';
import { DirectTrackedMessage } from './messages/tracked-message.js';
import type { Shards } from './shards/shards.js';
import { callersContext, followCallbacks, insideCallbackOf } from './updaters/callback-scope.js';

/** A direct message as the service takes it. */
export interface DirectMessageInput {
  readonly payload: unknown;
  readonly headers?: MessageHeaders;
  readonly messageId?: string;
  readonly timestamp?: number;
}

/** What other providers ask of a key. All keys are canonical. */
export class KeyCalls {
  constructor(
    private readonly environment: Environment,
    private readonly connection: TransportConnection,
    private readonly shards: Shards,
  ) {}

  async getDataUpdater(key: Uint8Array): Promise<DataUpdaterRef> {
    const queue = this.queueOf(key, 'getDataUpdater');
    const { live } = queue.activation;
    if (live !== undefined) return queue.activation.reference(live);
    return new Promise((resolve, reject) => {
      queue.signal(new PendingSignal(false, undefined, callersContext(), resolve as (value: unknown) => void, reject));
    });
  }

  async handleMessage(key: Uint8Array, message: DirectMessageInput): Promise<MessageOutcome<unknown>> {
    const queue = this.queueOf(key, 'handleMessage');
    return new Promise((resolve, reject) => {
      const { payload, messageId, timestamp, headers } = message;
      const { time } = this.environment.round;
      queue.accept(
        new DirectTrackedMessage(time, payload, messageId, timestamp, headers, callersContext(), resolve, reject),
      );
    });
  }

  /** @param timeout milliseconds */
  async handleSignal(
    key: Uint8Array,
    signal: unknown,
    timeout = this.environment.options.signalTimeout,
  ): Promise<unknown> {
    this.refuseOwnKey(key, 'handleSignal');
    const { connection, shards } = this;
    const { clock } = this.environment;
    const index = shards.indexOf(key);
    const begun = clock.now();
    const crosses = connection.sendSignal !== undefined;
    // Where there is no other process to ask, the refusal says why the key is not here.
    const shard = crosses ? shards.owned(index) : shards.ownedBy(key);
    let started = false;
    try {
      if (shard !== undefined)
        return await signalKey(shard.queue(key), signal, timeout, () => (started = true), callersContext());
    } catch (error) {
      // The shard left before the signal's turn came: its new owner answers, while there is time.
      if (started || !crosses || !isHandOver(error)) throw error;
    }
    const left = Math.max(1, timeout - (clock.now() - begun));
    return connection.sendSignal!(index, key, signal, left);
  }

  async park(key: Uint8Array): Promise<void> {
    const queue = this.shards.ownedBy(key).queue(key);
    queue.tracker.park();
  }

  async resume(key: Uint8Array): Promise<void> {
    this.shards.ownedBy(key).queues.get(key)?.tracker.resume();
  }

  async drop(key: Uint8Array): Promise<void> {
    const queue = this.shards.ownedBy(key).queues.get(key);
    if (queue === undefined) throw new KeyNotParkedError(inspectKey(key));
    return queue.tracker.drop();
  }

  private queueOf(key: Uint8Array, call: string): KeyQueue {
    this.refuseOwnKey(key, call);
    return this.shards.ownedBy(key).queue(key);
  }

  private refuseOwnKey(key: Uint8Array, call: string): void {
    followCallbacks();
    if (insideCallbackOf(this.environment, key)) throw new OwnKeyError(inspectKey(key), call);
  }
}

/** Whether an error means that somebody else owns the shard now, or soon. */
function isHandOver(error: unknown): boolean {
  return error instanceof ShardNotOwnedError || error instanceof ShuttingDownError;
}
