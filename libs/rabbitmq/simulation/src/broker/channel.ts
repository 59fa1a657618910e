import type { Connection } from './connection.js';

/** A channel of a connection: what goes over it arrives in order. */
export class Channel {
  /** When what was written last arrives. */
  private upAt = 0;
  private downAt = 0;

  constructor(readonly connection: Connection) {}

  /**
   * Tells the broker something.
   * @param trips how often it goes there, and back in between, until the broker has got it all
   */
  send(arrived: () => void, trips = 1): void {
    const { connection } = this;
    this.upAt = connection.arrivesAt(this.upAt, 2 * trips - 1);
    connection.up(this.upAt, arrived);
  }

  /** The broker tells the process something. */
  deliver(arrived: () => void): void {
    const { connection } = this;
    this.downAt = connection.arrivesAt(this.downAt, 1);
    connection.down(this.downAt, arrived);
  }

  /**
   * Asks the broker something. Rejects when it refuses, and when the connection is lost.
   * @param trips how often it goes there and back
   */
  request<T>(act: () => T, trips = 1): Promise<T> {
    return new Promise((resolve, reject) => {
      const answered = this.connection.expect(reject);
      this.send(() => {
        const answer = attempt(act, resolve, reject);
        this.deliver(() => {
          answered();
          answer();
        });
      }, trips);
    });
  }
}

function attempt<T>(act: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): () => void {
  try {
    const value = act();
    return () => resolve(value);
  } catch (error) {
    return () => reject(error);
  }
}

/** @throws while there is no connection */
export function openChannel(connection: Connection | undefined): Channel {
  if (connection?.isOpen !== true) throw new Error('there is no connection');
  return new Channel(connection);
}
