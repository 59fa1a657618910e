import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Changes } from './changes.js';

/** `up`: from the app to the broker. */
export type Direction = 'up' | 'down';

/** One connection from the app through the proxy to the broker. */
export class ProxiedConnection {
  /** Bytes that passed on to their destination. */
  readonly passed = { up: 0, down: 0 };
  frozen = false;
  ended = false;
  /** What is still held up, each way. */
  private readonly late = { up: Promise.resolve(), down: Promise.resolve() };
  private readonly held = { up: 0, down: 0 };
  private armed: { direction: Direction; bytes: number; cut: () => void } | undefined;

  constructor(
    readonly app: Socket,
    readonly broker: Socket,
    private readonly gone: () => void,
    /** How long what comes now is held up. Milliseconds. */
    private readonly delay: () => number,
  ) {
    this.forward('up', app, broker);
    this.forward('down', broker, app);
  }

  /** Resets both sides now. */
  cut(): void {
    if (this.ended) return;
    this.ended = true;
    this.armed = undefined;
    reset(this.app);
    reset(this.broker);
    this.gone();
  }

  /** Lets so many more bytes through one way, then resets both sides, most likely in the middle of a frame. */
  cutAfter(direction: Direction, bytes: number, cut: () => void): void {
    this.armed = { direction, bytes, cut };
  }

  /** Nothing passes any more, either way, and neither side is told. */
  freeze(): void {
    this.frozen = true;
    this.app.pause();
    this.broker.pause();
  }

  heal(): void {
    this.frozen = false;
    this.app.resume();
    this.broker.resume();
  }

  private forward(direction: Direction, from: Socket, to: Socket): void {
    from.on('data', (chunk: Buffer) => this.receive(direction, chunk, from, to));
    to.on('drain', () => {
      if (!this.frozen) from.resume();
    });
    // The end of one side is the end of the other.
    from.on('end', () => void this.late[direction].then(() => to.end()));
    from.on('error', () => undefined); // 'close' follows.
    from.on('close', () => {
      to.destroySoon();
      if (this.ended) return;
      this.ended = true;
      this.gone();
    });
  }

  private receive(direction: Direction, chunk: Buffer, from: Socket, to: Socket): void {
    const delay = this.delay();
    if (delay === 0 && this.held[direction] === 0) {
      this.pass(direction, chunk, from, to);
      return;
    }
    this.held[direction]++;
    const due = new Promise((resolve) => setTimeout(resolve, delay));
    // What came first goes first, whatever the delay has become meanwhile.
    this.late[direction] = this.late[direction].then(async () => {
      await due;
      this.held[direction]--;
      if (!this.ended) this.pass(direction, chunk, from, to);
    });
  }

  private pass(direction: Direction, chunk: Buffer, from: Socket, to: Socket): void {
    const { armed } = this;
    if (armed?.direction !== direction || chunk.length < armed.bytes) {
      if (armed?.direction === direction) armed.bytes -= chunk.length;
      this.passed[direction] += chunk.length;
      if (!to.write(chunk)) from.pause();
      return;
    }
    this.armed = undefined;
    this.passed[direction] += armed.bytes;
    from.pause();
    to.write(chunk.subarray(0, armed.bytes), () => {
      armed.cut();
      this.cut();
    });
  }
}

/**
 * Node 20 never closes the handle of a socket that is reset while it shuts down (EINVAL of `uv_tcp_close_reset`), and the
 * process then spins at its end for ever.
 */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** Stands between the app and its broker and breaks connections on demand. */
export class TcpProxy extends Changes {
  readonly connections = new Set<ProxiedConnection>();
  /** How long everything is held up, each way. Milliseconds. */
  delay = 0;
  private frozen = false;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {
    super();
  }

  /**
   * @param brokerUrl where the broker listens
   * @param port where to listen; default one that is free
   */
  static async start(brokerUrl: string, port = 0): Promise<TcpProxy> {
    const brokerPort = Number(new URL(brokerUrl).port);
    const server = createServer({ noDelay: true });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    const proxy = new TcpProxy(server, address.port);
    server.on('connection', (app) => proxy.accept(app, brokerPort));
    return proxy;
  }

  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.port}`;
  }

  /** Resets every connection that stands. */
  cut(): void {
    for (const connection of this.connections) connection.cut();
  }

  /** Arms a connection to be cut; `before` is called in the moment before. Resolves when it is gone. */
  async cutAfter(
    connection: ProxiedConnection,
    direction: Direction,
    bytes: number,
    before: () => void,
  ): Promise<void> {
    connection.cutAfter(direction, bytes, before);
    await this.until(`${bytes} more bytes went ${direction} and the connection was cut`, () => connection.ended);
  }

  /** Forwards nothing, without telling anybody, and neither what is connected later. */
  freeze(): void {
    this.frozen = true;
    for (const connection of this.connections) connection.freeze();
  }

  heal(): void {
    this.frozen = false;
    for (const connection of this.connections) connection.heal();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(app: Socket, brokerPort: number): void {
    app.pause();
    const broker = connect({ port: brokerPort, host: '127.0.0.1', noDelay: true });
    const refused = (): void => reset(app);
    app.on('error', () => undefined); // 'close' follows.
    broker.once('error', refused);
    broker.once('connect', () => {
      broker.off('error', refused);
      const gone = (): void => {
        this.connections.delete(connection);
        this.changed();
      };
      const connection = new ProxiedConnection(app, broker, gone, () => this.delay);
      this.connections.add(connection);
      app.resume();
      if (this.frozen) connection.freeze();
      this.changed();
    });
  }
}
