import { OperatorUnsupportedError, UnknownProcessError } from '../../errors/index.js';
import type { ProcessInfo } from '../../interfaces/status.interface.js';
import type { TransportConnection } from '../../transport/transport.interface.js';
import type { Environment } from '../base/environment.js';
import type { Shards } from '../shards/shards.js';

/** What an operator pauses that is no key: the intake of a process, and types of messages. The transport tells the others. */
export class Pauses {
  constructor(
    private readonly environment: Environment,
    private readonly connection: TransportConnection,
    private readonly shards: Shards,
    private readonly processes: () => Promise<ProcessInfo[]>,
  ) {}

  /**
   * @param timeout milliseconds
   * @throws {UnknownProcessError}
   * @throws what {@link TransportConnection.setIntake} rejects with
   */
  async setIntake(process: string, paused: boolean, timeout: number): Promise<void> {
    const { connection } = this;
    if (connection.setIntake === undefined) throw new OperatorUnsupportedError(paused ? 'pauseIntake' : 'resumeIntake');
    if (connection.processes === undefined) {
      const [own] = await this.processes();
      if (own!.name !== process) throw new UnknownProcessError(process);
    }
    await connection.setIntake(process, paused, timeout);
  }

  /** @throws what {@link TransportConnection.setTypePaused} rejects with */
  async setTypePaused(type: string, paused: boolean, timeout: number): Promise<void> {
    const { connection, environment, shards } = this;
    if (connection.setTypePaused !== undefined) {
      await connection.setTypePaused(type, paused, timeout);
      return;
    }
    if (connection.sendSignal !== undefined) throw new OperatorUnsupportedError(paused ? 'pauseType' : 'resumeType');
    const others = environment.paused.list.filter((one) => one !== type);
    shards.pauseTypes(paused ? [...others, type] : others);
  }

  /** @throws what {@link TransportConnection.pausedTypes} rejects with */
  async types(timeout: number): Promise<readonly string[]> {
    const { connection, environment } = this;
    return (await connection.pausedTypes?.(timeout)) ?? environment.paused.list;
  }
}
