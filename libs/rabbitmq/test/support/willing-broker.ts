import type { Socket } from 'node:net';
import { Changes } from '../../../../test/support/changes.js';
import { FakeBroker, frameOf } from './fake-broker.js';

/** One consumer, and where it is. */
export interface FakeConsumer {
  readonly queue: string;
  readonly tag: string;
  readonly channel: number;
  readonly socket: Socket;
}

const text = (value: string): number[] => [value.length, ...Buffer.from(value)];

const TOKEN = 'token';

/**
 * A broker that agrees to whatever it is asked, and has no messages but one in each lock. Methods by class and number
 * (AMQP 0-9-1).
 */
export class WillingBroker extends Changes {
  /** What it was asked about consumers and channels, in order. */
  readonly log: string[] = [];
  readonly consumers: FakeConsumer[] = [];
  private tags = 0;

  private constructor(private readonly broker: FakeBroker) {
    super();
    broker.asked = (socket, frame) => this.answer(socket, frame);
  }

  static async start(): Promise<WillingBroker> {
    return new WillingBroker(await FakeBroker.start());
  }

  get url(): string {
    return this.broker.url;
  }

  /** Resolves with the latest consumer of a queue, of so many. */
  async consumer(queue: string, which = 1): Promise<FakeConsumer> {
    const found = (): FakeConsumer[] => this.consumers.filter((consumer) => consumer.queue === queue);
    await this.until(`${queue} has had ${which} consumers`, () => found().length >= which);
    return found()[which - 1]!;
  }

  /** Ends a consumer and leaves its channel open. */
  cancel({ socket, channel, tag }: FakeConsumer): void {
    socket.write(frameOf([0, 60, 0, 30, ...text(tag), 1], channel));
  }

  stop(): Promise<void> {
    return this.broker.stop();
  }

  private answer(socket: Socket, frame: Buffer): void {
    const channel = frame.readUInt16BE(1);
    const args = frame.subarray(11);
    const reply = (...payload: number[]): void => void socket.write(frameOf(payload, channel));
    const queue = (): string => args.toString('utf8', 3, 3 + args[2]!);
    switch (`${frame.readUInt16BE(7)}.${frame.readUInt16BE(9)}`) {
      case '20.10': // channel.open
        return reply(0, 20, 0, 11, 0, 0, 0, 0);
      case '20.40': // channel.close
        this.tell(`close ${channel}`);
        return reply(0, 20, 0, 41);
      case '40.10': // exchange.declare
        return reply(0, 40, 0, 11);
      case '50.10': // queue.declare: no messages, no consumers
        return reply(0, 50, 0, 11, ...text(queue()), 0, 0, 0, 0, 0, 0, 0, 0);
      case '50.20': // queue.bind
        return reply(0, 50, 0, 21);
      case '50.40': // queue.delete
        return reply(0, 50, 0, 41, 0, 0, 0, 0);
      case '60.10': // basic.qos
        return reply(0, 60, 0, 11);
      case '60.20': // basic.consume
        return this.consume(socket, channel, queue(), args.subarray(3 + args[2]!), reply);
      case '60.30': // basic.cancel
        return reply(0, 60, 0, 31, ...args.subarray(0, 1 + args[0]!));
      case '85.10': // confirm.select
        return reply(0, 85, 0, 11);
      default:
        return undefined;
    }
  }

  private consume(
    socket: Socket,
    channel: number,
    queue: string,
    rest: Buffer,
    reply: (...payload: number[]) => void,
  ): void {
    const tag = rest[0] === 0 ? `tag${++this.tags}` : rest.toString('utf8', 1, 1 + rest[0]!);
    this.consumers.push({ queue, tag, channel, socket });
    reply(0, 60, 0, 21, ...text(tag));
    this.tell(`consume ${queue}`);
    if (queue.endsWith('.lock')) socket.write(tokenOf(tag, channel));
  }

  private tell(line: string): void {
    this.log.push(line);
    this.changed();
  }
}

/** The first delivery of a channel: `basic.deliver`, its header and its body. */
function tokenOf(tag: string, channel: number): Buffer {
  const deliver = [0, 60, 0, 60, ...text(tag), 0, 0, 0, 0, 0, 0, 0, 1, 0, ...text(''), ...text('')];
  const header = [0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, TOKEN.length, 0, 0];
  return Buffer.concat([
    frameOf(deliver, channel),
    frameOf(header, channel, 2),
    frameOf([...Buffer.from(TOKEN)], channel, 3),
  ]);
}
