import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { ignoreLateFrames } from '../src/connection/late-frames.js';
import { frame } from './frames.js';
import { FakeBroker } from './support/fake-broker.js';

const text = (letters: string): number[] => [letters.length, ...Buffer.from(letters)];
const method = (...bytes: number[]): Buffer => frame(1, Buffer.from(bytes));

const openOk = method(0, 20, 0, 11, 0, 0, 0, 0);
const close = method(0, 20, 0, 40, 406 >> 8, 406 & 255, ...text('no'), 0, 0, 0, 0);
const closeOk = method(0, 20, 0, 41);
/** A message without a body, to a consumer of the channel that is closed. */
const delivery = Buffer.concat([
  method(0, 60, 0, 60, ...text('tag'), 0, 0, 0, 0, 0, 0, 0, 1, 0, ...text(''), ...text('q')),
  frame(2, Buffer.from([0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
]);

let broker: FakeBroker;
let model: ChannelModel;
let socket: Socket;
const ends: unknown[] = [];

/** Resolves when the client has sent a method of the class `channel`. */
async function asked(wanted: number): Promise<void> {
  for (;;) {
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    for (let at = 0; at + 11 <= bytes.length; at += 8 + bytes.readUInt32BE(at + 3)) {
      if (bytes.readUInt16BE(at + 7) === 20 && bytes.readUInt16BE(at + 9) === wanted) return;
    }
  }
}

beforeEach(async () => {
  broker = await FakeBroker.start();
  broker.opened = (opened) => (socket = opened);
  model = await connect(broker.url);
  ends.length = 0;
  model.on('error', (error) => ends.push(error));
  ignoreLateFrames(model);
});

afterEach(async () => {
  await model.close().catch(() => undefined);
  await broker.stop();
});

async function openChannel(before: Buffer = Buffer.alloc(0)) {
  const opening = model.createChannel();
  await asked(10);
  socket.write(Buffer.concat([before, openOk]));
  const channel = await opening;
  channel.on('error', () => undefined);
  return channel;
}

async function closedBy(channel: Channel, bytes: Buffer): Promise<void> {
  const closed = new Promise((resolve) => channel.once('close', resolve));
  socket.write(bytes);
  await closed;
}

test('what comes on a channel that the broker has closed ends neither the connection nor the channel after it', async () => {
  const first = await openChannel();
  await closedBy(first, Buffer.concat([close, delivery]));
  const second = await openChannel(delivery);
  expect(ends).toEqual([]);
  await closedBy(second, close);
});

test('a close that crosses that of the broker comes to its end', async () => {
  const channel = await openChannel();
  const closing = channel.close();
  await asked(40);
  socket.write(Buffer.concat([close, delivery, closeOk]));
  await closing;
  await openChannel();
  expect(ends).toEqual([]);
});
