import { BYTES_OCTET, KeyOctetChanger, STRING_OCTET } from './key-octet.js';
import { widen } from './wide-integers.js';

/** The stream of a connection, as far as amqplib uses it. */
interface FrameStream {
  read(size?: number): Buffer | null;
  write(chunk: Buffer, ...rest: unknown[]): boolean;
}

/**
 * Makes the sharding keys of one open connection pass byte for byte. Only this connection's own stream object changes.
 * @param unread bytes that amqplib has taken from the stream and not decoded yet
 */
export function passKeysThrough(stream: FrameStream, unread: Buffer): void {
  const incoming = new KeyOctetChanger(STRING_OCTET, BYTES_OCTET, true);
  const outgoing = new KeyOctetChanger(BYTES_OCTET, STRING_OCTET, false);
  const read = stream.read.bind(stream);
  const write = stream.write.bind(stream);
  if (unread.length > 0) throw new Error('the broker sent frames before it was asked: report this with its version');
  stream.read = (size) => {
    const chunk = read(size);
    const whole = chunk === null ? undefined : incoming.push(chunk);
    if (whole === undefined) return null;
    return incoming.takeWide() ? widen(whole) : whole;
  };
  stream.write = (chunk, ...rest) => {
    outgoing.change(chunk); // amqplib writes whole frames.
    return write(chunk, ...rest);
  };
}
