import { KeyNotParkedError, NoStoreError, OwnKeyError, StoreHeldError, WaitingCycleError } from '../errors/index.js';
import type { DataUpdaterRef } from '../interfaces/live-key.interface.js';
import { keyId } from '../keys/sharding-key.js';
import type { MessageOutcome } from '../outcomes.js';
import type { SignalCodec } from '../signals/signal-codec.js';
import { headSize, packSignal, unpackAnswer, type SignalRequest } from '../signals/signal-envelope.js';
import type { TraceHeaders } from '../telemetry/telemetry.interface.js';
import type { TransportConnection } from '../transport/transport.interface.js';
import type { Caller } from './base/caller.js';
import type { Environment } from './base/environment.js';
import type { DurableInstance } from './commits/durable-instance.js';
import { isHandOver } from './base/hand-over.js';
import { handleDirect, type DirectMessageInput } from './keys/direct-message.js';
import type { KeyQueue } from './keys/key-queue.js';
import { PendingSignal } from './keys/pending-signal.js';
import { signalKey } from './keys/signal-key.js';
import type { Shards } from './shards/shards.js';
import { presentCaller } from './updaters/callback-scope.js';
import { chainOf, circleThrough, whileWaiting } from './updaters/waiting.js';

/** A callback waits for a message of the key, which goes before what nobody waits for. */
async function whileAwaited<T>(queue: KeyQueue, call: () => Promise<T>): Promise<T> {
  queue.awaited++;
  try {
    return await call();
  } finally {
    queue.awaited--;
  }
}

/** What other providers ask of a key. All keys are canonical. */
export class KeyCalls {
  constructor(
    private readonly environment: Environment,
    private readonly connection: TransportConnection,
    private readonly shards: Shards,
    private readonly codec: SignalCodec,
    private readonly durable: DurableInstance | undefined,
  ) {}

  async getDataUpdater(key: Uint8Array): Promise<DataUpdaterRef> {
    const caller = this.callerOf(key, 'getDataUpdater');
    const queue = this.shards.ownedBy(key).queue(key);
    const { live } = queue.activation;
    if (live !== undefined) return queue.activation.reference(live);
    return whileWaiting(
      caller,
      queue,
      () =>
        new Promise((resolve, reject) => {
          queue.signal(new PendingSignal('start', undefined, caller, resolve as (value: unknown) => void, reject));
        }),
    );
  }

  /**
   * Throws at once what is refused: an asynchronous function would add a promise to each message.
   * @param timeout milliseconds
   */
  handleMessage(key: Uint8Array, message: DirectMessageInput, timeout = Infinity): Promise<MessageOutcome<unknown>> {
    const caller = this.callerOf(key, 'handleMessage');
    const queue = this.shards.ownedBy(key).queue(key);
    return caller.callback === undefined
      ? handleDirect(queue, message, timeout, caller)
      : whileAwaited(queue, () => whileWaiting(caller, queue, () => handleDirect(queue, message, timeout, caller)));
  }

  /**
   * The same for a key of this process as for one elsewhere: both sides get copies. The signal is as it was at the call.
   * @param timeout milliseconds
   */
  handleSignal(
    key: Uint8Array,
    signal: unknown,
    timeout = this.environment.options.signalTimeout,
    name?: string,
  ): Promise<unknown> {
    const { telemetry } = this.environment;
    if (telemetry?.active !== true) return this.signal(key, signal, timeout, name);
    return telemetry.around({ kind: 'signal', shard: this.shards.indexOf(key), key, name }, (headers) =>
      this.signal(key, signal, timeout, name, headers),
    );
  }

  private async signal(
    key: Uint8Array,
    signal: unknown,
    timeout: number,
    name: string | undefined,
    carried?: TraceHeaders,
  ): Promise<unknown> {
    const caller = this.callerOf(key, 'handleSignal');
    const value = this.codec.encode('signal', signal, headSize({ name, carried }));
    return this.codec.decode('answer', await this.ask(key, { name, carried, value }, timeout, caller));
  }

  /**
   * What the store has of a key, whoever owns it.
   * @throws {NoStoreError}
   */
  async state(key: Uint8Array): Promise<unknown> {
    const durable = this.store('dataUpdaters.state');
    if (presentCaller().callback?.holdsStore === true) throw new StoreHeldError('state');
    const stored = await durable.stored(key);
    return stored === undefined ? undefined : (await durable.form.decode(this.environment.keyText(key), stored)).state;
  }

  /** @throws {NoStoreError} */
  async forget(key: Uint8Array): Promise<void> {
    this.store('dataUpdaters.forget');
    const caller = this.callerOf(key, 'forget');
    const queue = this.shards.ownedBy(key).queue(key);
    await whileWaiting(
      caller,
      queue,
      () =>
        new Promise<unknown>((resolve, reject) => {
          queue.signal(new PendingSignal('forget', undefined, caller, resolve, reject));
        }),
    );
  }

  private store(call: string): DurableInstance {
    if (this.durable === undefined) throw new NoStoreError(call);
    return this.durable;
  }

  async park(key: Uint8Array): Promise<void> {
    const queue = this.shards.ownedBy(key).queue(key);
    queue.tracker.park();
  }

  async resume(key: Uint8Array): Promise<void> {
    this.parkedQueue(key, 'resume').tracker.resume();
  }

  async drop(key: Uint8Array): Promise<void> {
    return this.parkedQueue(key, 'drop').tracker.drop();
  }

  /** @throws {KeyNotParkedError} when there is nothing of the key */
  private parkedQueue(key: Uint8Array, call: 'resume' | 'drop'): KeyQueue {
    const queue = this.shards.ownedBy(key).queues.get(key);
    if (queue === undefined) throw new KeyNotParkedError(this.environment.keyText(key), call);
    return queue;
  }

  /** @throws what the caller would wait for without end */
  private callerOf(key: Uint8Array, call: string): Caller {
    const caller = presentCaller();
    const { callback } = caller;
    if (callback === undefined) return caller;
    if (callback.holdsStore) throw new StoreHeldError(call);
    if (callback.environment === this.environment && callback.keyId === keyId(key)) {
      throw new OwnKeyError(this.environment.keyText(key), call);
    }
    const target = this.shards.owned(this.shards.indexOf(key))?.queues.get(key);
    const circle = target === undefined ? undefined : circleThrough(caller, target);
    if (circle !== undefined) throw new WaitingCycleError(call, circle);
    return caller;
  }

  /** Resolves with the answer, encoded. */
  private async ask(
    key: Uint8Array,
    request: SignalRequest,
    timeout: number,
    caller: Caller,
  ): Promise<Uint8Array | undefined> {
    const { connection, shards } = this;
    const { clock } = this.environment;
    const index = shards.indexOf(key);
    const begun = clock.now();
    const crosses = connection.sendSignal !== undefined;
    // Where there is no other process to ask, the refusal says why the key is not here.
    const shard = crosses ? shards.owned(index) : shards.ownedBy(key);
    let started = false;
    try {
      if (shard !== undefined) {
        const queue = shard.queue(key);
        return await whileWaiting(caller, queue, () =>
          signalKey(queue, request, timeout, () => (started = true), caller),
        );
      }
    } catch (error) {
      // The shard left before the signal's turn came: its new owner answers, while there is time.
      if (started || !crosses || !isHandOver(error)) throw error;
    }
    const left = Math.max(1, timeout - (clock.now() - begun));
    const answer = await whileWaiting(caller, undefined, () =>
      connection.sendSignal!(index, key, packSignal(request), left, chainOf(caller)),
    );
    return unpackAnswer(answer);
  }
}
