import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Changes } from './changes.js';

/** The class and method of `connection.open-ok` (AMQP 0-9-1 specification, 1.4.2.7). */
const OPEN_OK = Buffer.from([0, 10, 0, 41]);

/** Stands between the app and its broker, and closes connections in the very packet that opens them. */
export class ClosingProxy extends Changes {
  /** How many connections it has closed so. */
  closed = 0;
  private left = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {
    super();
  }

  static async start(brokerUrl: string): Promise<ClosingProxy> {
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const proxy = new ClosingProxy(server, port);
    server.on('connection', (app) => proxy.accept(app, Number(new URL(brokerUrl).port)));
    return proxy;
  }

  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.port}`;
  }

  /** Cuts every connection, and closes the next ones in the packet that opens them. */
  closeNext(count: number): void {
    this.left = count;
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(app: Socket, port: number): void {
    const broker = connect(port, '127.0.0.1');
    this.sockets.add(app);
    for (const socket of [app, broker]) socket.on('error', () => undefined); // 'close' follows.
    app.on('close', () => {
      this.sockets.delete(app);
      broker.destroy();
    });
    broker.on('close', () => app.destroy());
    app.pipe(broker);
    broker.on('data', (chunk: Buffer) => {
      if (this.left === 0 || !chunk.includes(OPEN_OK)) {
        app.write(chunk);
        return;
      }
      this.left--;
      this.closed++;
      app.write(Buffer.concat([chunk, CLOSE]));
      this.changed();
    });
  }
}

/** The frame of `connection.close`, for no fault of the client's (320). */
const CLOSE = frameOf(Buffer.from([0, 10, 0, 50, 320 >> 8, 320 & 255, 4, ...Buffer.from('gone'), 0, 0, 0, 0]));

function frameOf(payload: Buffer): Buffer {
  const head = Buffer.from([1, 0, 0, 0, 0, 0, payload.length]);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}
