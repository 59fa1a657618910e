import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** What a broker offers when somebody connects (AMQP 0-9-1 specification, 1.4). */
export interface Offer {
  readonly channelMax?: number;
  readonly frameMax?: number;
  /** Seconds. */
  readonly heartbeat?: number;
}

/** So much of a broker that a client can connect to it; what comes next the test decides. */
export class FakeBroker {
  readonly sockets = new Set<Socket>();
  /** How many sockets have come. */
  came = 0;
  /** What is written in the same packet as `open-ok`. */
  behindOpenOk: Buffer = Buffer.alloc(0);
  /** Called with each connection that is open. */
  opened: (socket: Socket) => void = () => undefined;
  /** Called with each method of a channel, as its frame. */
  asked: (socket: Socket, frame: Buffer) => void = () => undefined;
  /** Whether it answers `connection.close`. */
  answersClose = true;

  private constructor(
    private readonly server: Server,
    public offer: Offer,
  ) {}

  static async start(offer: Offer = {}): Promise<FakeBroker> {
    const server = await listening();
    const broker = new FakeBroker(server, offer);
    server.on('connection', (socket) => broker.serve(socket));
    return broker;
  }

  get port(): number {
    return portOf(this.server);
  }

  get url(): string {
    return `amqp://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private serve(socket: Socket): void {
    this.came++;
    this.sockets.add(socket);
    socket.on('error', () => undefined); // 'close' follows.
    socket.on('close', () => this.sockets.delete(socket));
    let rest = Buffer.alloc(0);
    let greeted = false;
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      if (!greeted && rest.length >= 8) {
        rest = rest.subarray(8);
        greeted = true;
        socket.write(START);
      }
      for (let frame = takeFrame(rest); greeted && frame !== undefined; frame = takeFrame(rest)) {
        rest = rest.subarray(frame.length);
        this.answer(socket, frame);
      }
    });
  }

  private answer(socket: Socket, frame: Buffer): void {
    if (frame[0] !== 1) return;
    if (frame.readUInt16BE(7) !== 10) {
      this.asked(socket, frame);
      return;
    }
    const method = frame.readUInt16BE(9);
    if (method === 11) socket.write(tune(this.offer));
    if (method === 40) {
      socket.write(Buffer.concat([OPEN_OK, this.behindOpenOk]));
      this.opened(socket);
    }
    if (method === 50 && this.answersClose) socket.write(frameOf([0, 10, 0, 51]));
  }
}

/** A server that does with each socket what it is told. */
export async function server(
  serve: (socket: Socket) => void,
): Promise<{ url: string; port: number; stop: () => void }> {
  const one = await listening();
  one.on('connection', (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  const port = portOf(one);
  return { url: `amqp://127.0.0.1:${port}`, port, stop: () => void one.close() };
}

/** The frame of `connection.close`. */
export function closeFrame(code: number, text: string): Buffer {
  return frameOf([0, 10, 0, 50, code >> 8, code & 255, text.length, ...Buffer.from(text), 0, 0, 0, 0]);
}

async function listening(): Promise<Server> {
  const one = createServer({ noDelay: true });
  one.listen(0, '127.0.0.1');
  await once(one, 'listening');
  return one;
}

function portOf(one: Server): number {
  return (one.address() as { port: number }).port;
}

function takeFrame(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 7) return undefined;
  const end = 7 + bytes.readUInt32BE(3) + 1;
  return bytes.length < end ? undefined : bytes.subarray(0, end);
}

/**
 * A frame; of a method, unless another type is given.
 * @param type 2: the header of a message, 3: its body
 */
export function frameOf(payload: readonly number[], channel = 0, type = 1): Buffer {
  const head = Buffer.from([type, channel >> 8, channel & 255, 0, 0, 0, 0]);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, Buffer.from(payload), Buffer.from([0xce])]);
}

const longString = (text: string): number[] => [0, 0, 0, text.length, ...Buffer.from(text)];
const START = frameOf([0, 10, 0, 10, 0, 9, 0, 0, 0, 0, ...longString('PLAIN'), ...longString('en_US')]);
const OPEN_OK = frameOf([0, 10, 0, 41, 0]);

function tune({ channelMax = 2_047, frameMax = 131_072, heartbeat = 60 }: Offer): Buffer {
  const numbers = Buffer.alloc(8);
  numbers.writeUInt16BE(channelMax, 0);
  numbers.writeUInt32BE(frameMax, 2);
  numbers.writeUInt16BE(heartbeat, 6);
  return frameOf([0, 10, 0, 30, ...numbers]);
}
