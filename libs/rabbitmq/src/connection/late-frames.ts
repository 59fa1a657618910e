import type { ChannelModel } from 'amqplib';

/** Of amqplib's frames what is needed here. */
interface Frame {
  readonly channel: number;
  /** Class and method; header frames have the class alone, bodies nothing. */
  readonly id?: number;
}

/** amqplib's connection, as far as it is touched here. */
interface AcceptingConnection {
  /** Gets each frame; amqplib replaces it when it closes. */
  accept: (this: AcceptingConnection, frame: Frame) => void;
}

/** Of the class `channel` (20): `open-ok` (11), `close` (40), `close-ok` (41). */
const OPEN_OK = 0x14_00_0b;
const CLOSE = 0x14_00_28;
const CLOSE_OK = 0x14_00_29;

/**
 * Ignores what comes on a channel that the broker has closed, until it opens another one by that number. It goes on to send
 * what its queues had given to the channel by then (RabbitMQ 3.10), and amqplib 2.3 would close the whole connection over
 * a frame on a channel that it does not know any more, or that it has just asked for.
 */
export function ignoreLateFrames({ connection }: ChannelModel): void {
  const accepting = connection as unknown as AcceptingConnection;
  const { accept } = accepting;
  const closed = new Set<number>();
  accepting.accept = function (frame) {
    const { channel, id } = frame;
    if (closed.has(channel)) {
      // The end of a close that was under way on our side is waited for.
      if (id !== OPEN_OK && id !== CLOSE_OK) return;
      if (id === OPEN_OK) closed.delete(channel);
    } else if (id === CLOSE) {
      closed.add(channel);
    }
    accept.call(this, frame);
  };
}
