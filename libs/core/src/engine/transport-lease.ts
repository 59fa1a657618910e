import { TransportInUseError } from '../errors/index.js';
import type { Transport } from '../transport/transport.interface.js';

/** The name of the instance that uses each transport. */
const users = new WeakMap<Transport, string>();

/**
 * The use of one transport object by one instance, from before it connects until it has closed. Two at once would share
 * shards, and messages of one would go to the handler of the other.
 */
export class TransportLease {
  private over = false;

  /** @throws {TransportInUseError} */
  constructor(
    private readonly transport: Transport,
    instance: string,
  ) {
    const user = users.get(transport);
    if (user !== undefined) throw new TransportInUseError(transport.name, instance, user);
    users.set(transport, instance);
  }

  /** Somebody else may use it from now on. */
  end(): void {
    if (!this.over) users.delete(this.transport);
    this.over = true;
  }
}
