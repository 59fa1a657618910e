import pg from 'pg';

/** An error that nobody listens to would end the process. Whoever uses the client learns of it by its next query. */
export function listen(client: pg.ClientBase): void {
  client.on('error', () => undefined);
}

/**
 * A client that ends its connection when the login fails. pg leaves it to the server where the client itself finds the fault, such as a
 * password that is missing: for a minute, and nobody can end it any more.
 */
export class TidyClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    // Whoever takes it from its pool listens a little later than it is taken, and the server may end it in the same packet.
    listen(this);
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void;
  override connect(callback?: (error: never, client: pg.Client) => void): Promise<pg.Client> | void {
    if (callback === undefined) {
      return super.connect().catch((error: unknown) => {
        this.leave();
        throw error;
      });
    }
    super.connect((error: Error | null, client?: pg.Client) => {
      if (error !== null) this.leave();
      callback(error as never, client!);
    });
  }

  private leave(): void {
    this.end().catch(() => undefined);
  }
}
