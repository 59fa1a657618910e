import type { Client } from './client.js';

/** Where clients come from. */
export interface ClientSource {
  connect(): Promise<Client>;
}

/** A client in use: it goes back to its pool once. */
export class Lease {
  /** Why its connection has ended, where it has. */
  lost: Error | undefined;
  private given = false;
  private readonly onError = (error: Error): void => {
    this.lost ??= error;
  };

  private constructor(readonly client: Client) {
    // A pool listens only while it holds the client, and an error that nobody listens to would end the process.
    client.on('error', this.onError);
  }

  static async take(source: ClientSource): Promise<Lease> {
    return new Lease(await source.connect());
  }

  /** Gives it back for others to use. */
  release(): void {
    this.giveBack(this.lost !== undefined);
  }

  /** Ends its connection. */
  destroy(): void {
    this.giveBack(true);
  }

  private giveBack(destroy: boolean): void {
    if (this.given) return;
    this.given = true;
    this.client.off('error', this.onError);
    this.client.release(destroy);
    if (!destroy) return;
    // What the server still says to it must not become an error of the pool, to which the app may have no listener.
    this.client.removeAllListeners('error');
    this.client.on('error', () => undefined);
  }
}
