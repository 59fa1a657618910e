import {
  OperatorNotUnderstoodError,
  OperatorTimeoutError,
  RemoteOperatorDisabledError,
  SignalDecodeError,
  SignalTimeoutError,
  SignalTooLargeError,
} from '../../errors/index.js';
import {
  isAction,
  packOperatorRequest,
  unpackOperatorAnswer,
  type OperatorRequest,
} from '../../signals/operator-request.js';
import type { TransportConnection } from '../../transport/transport.interface.js';
import type { Environment } from '../base/environment.js';
import { isHandOver } from '../base/hand-over.js';
import type { OwnedShard } from '../shards/owned-shard.js';
import type { Shards } from '../shards/shards.js';
import type { OperatorDesk } from './operator-desk.js';

/** What an operator asks, brought to the owner of a shard: this process, or another. */
export class OwnerRequests {
  constructor(
    private readonly environment: Environment,
    private readonly connection: TransportConnection,
    private readonly shards: Shards,
    private readonly desk: OperatorDesk,
  ) {}

  /**
   * Answers what came from another process.
   * @throws {RemoteOperatorDisabledError}
   */
  async fromElsewhere(shard: OwnedShard, key: Uint8Array, request: OperatorRequest): Promise<object> {
    if (isAction(request) && !this.environment.options.remoteOperator) {
      throw new RemoteOperatorDisabledError(request.call, shard.index);
    }
    return this.desk.answer(shard, key, request);
  }

  /**
   * @param key canonical; of a request that is about a shard, any
   * @param timeout milliseconds
   * @throws {OperatorTimeoutError}
   * @throws {OperatorNotUnderstoodError}
   * @throws what the owner refuses it with
   */
  async ask(index: number, key: Uint8Array, request: OperatorRequest, timeout: number): Promise<unknown> {
    const { shards, connection } = this;
    const { clock } = this.environment;
    const begun = clock.now();
    const crosses = connection.sendSignal !== undefined;
    // Where there is no other process to ask, the refusal says why the key is not here.
    const shard = crosses ? shards.owned(index) : (shards.owned(index) ?? shards.ownedBy(key));
    try {
      if (shard !== undefined) return await this.here(shard, key, request, timeout);
    } catch (error) {
      if (!crosses || !isHandOver(error)) throw error;
    }
    return this.elsewhere(index, key, request, Math.max(1, timeout - (clock.now() - begun)));
  }

  private here(shard: OwnedShard, key: Uint8Array, request: OperatorRequest, timeout: number): Promise<object> {
    const answer = this.desk.answer(shard, key, request);
    if (timeout === Infinity) return answer;
    return new Promise((resolve, reject) => {
      const timer = this.environment.clock.after(timeout, () => {
        reject(new OperatorTimeoutError(this.about(request, key, shard.index), timeout, true));
      });
      answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  private async elsewhere(shard: number, key: Uint8Array, request: OperatorRequest, timeout: number): Promise<unknown> {
    const packed = packOperatorRequest(request);
    const { maxSignalSize = Infinity } = this.connection;
    if (packed.length > maxSignalSize) throw new SignalTooLargeError('signal', packed.length, maxSignalSize);
    try {
      const answer = await this.connection.sendSignal!(shard, key, packed, timeout, []);
      return unpackOperatorAnswer(answer);
    } catch (error) {
      if (error instanceof SignalTimeoutError) {
        throw new OperatorTimeoutError(this.about(request, key, shard), timeout, error.started);
      }
      if (error instanceof SignalDecodeError) throw new OperatorNotUnderstoodError(request.call, shard, error);
      throw error;
    }
  }

  private about({ call }: OperatorRequest, key: Uint8Array, shard: number): string {
    return call === 'keys' || call === 'shard'
      ? `${call} of shard ${shard}`
      : `${call} of the key ${this.environment.keyText(key)}`;
  }
}
