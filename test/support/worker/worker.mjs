// A process that consumes as an app of a user would, to be killed at any moment. It writes what happens into a file line
// by line, so that nothing is lost with it, and obeys its parent.
import 'reflect-metadata';
import { openSync, writeSync } from 'node:fs';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataUpdaterServiceToken, MessageHandler, MississippiModule } from '@mississippi/core';
import { rabbitmq } from '@mississippi/rabbitmq';

// JSON has no Infinity.
const { name, file, rabbit, options, failing, pace } = JSON.parse(process.argv[2], (_key, value) =>
  value === 'Infinity' ? Infinity : value,
);
const refusing = new Set(failing);
const out = openSync(file, 'a');
let numbers = 0;
let told = false;

function record(observation) {
  writeSync(out, `${JSON.stringify({ ...observation, at: Number(process.hrtime.bigint()) / 1e6 })}\n`);
  if (told) return;
  told = true;
  setImmediate(() => {
    told = false;
    if (process.connected) process.send('progress');
  });
}

function refOf({ body, messageId }) {
  const { key, seq } = JSON.parse(Buffer.from(body).toString());
  return { key, seq, id: messageId };
}

/** The same object, but for some methods. */
function over(inner, methods) {
  return new Proxy(inner, {
    get(_target, property) {
      const value = methods[property] ?? inner[property];
      return typeof value === 'function' && methods[property] === undefined ? value.bind(inner) : value;
    },
  });
}

function recordedSession(session, epochOf, numbered) {
  const noted = (type, delivery) =>
    record({ type, ...refOf(delivery), epoch: epochOf(), delivery: numbered.get(delivery) ?? 'none' });
  return over(session, {
    settle(delivery) {
      session.settle(delivery);
      noted('settle', delivery);
    },
    async deadLetter(delivery, notes) {
      await session.deadLetter(delivery, notes);
      noted('deadLetter', delivery);
    },
    async park(delivery, mode, notes) {
      noted('move', delivery);
      await session.park(delivery, mode, notes);
      noted('park', delivery);
    },
    readParked(key) {
      const reader = session.readParked(key);
      const next = async () => {
        const delivery = await reader.next();
        if (!numbered.has(delivery)) delivered(delivery, epochOf(), numbered);
        return delivery;
      };
      return over(reader, { next });
    },
  });
}

function delivered(delivery, epoch, numbered) {
  const number = `${name}-${++numbers}`;
  numbered.set(delivery, number);
  const { redelivered } = delivery;
  record({ type: 'deliver', ...refOf(delivery), epoch, delivery: number, redelivered });
}

function recorded(transport) {
  return over(transport, {
    async connect(context) {
      const connection = await transport.connect(context);
      const open = (consumer) => async (session) => {
        const numbered = new WeakMap();
        // Its name is known when the core has numbered it, before anything is delivered or settled.
        let epoch;
        const receiver = await consumer.open(recordedSession(session, () => epoch, numbered));
        epoch = `${name}:${session.shard}/${receiver.epoch}`;
        return over(receiver, {
          deliver(delivery) {
            delivered(delivery, epoch, numbered);
            receiver.deliver(delivery);
          },
          lost(cause) {
            receiver.lost(cause);
            record({ type: 'lost', epoch });
          },
        });
      };
      const consume = (consumer) => connection.consume(over(consumer, { open: open(consumer) }));
      return over(connection, { consume });
    },
  });
}

let flights = 0;

/** Set while the next flight is to wait until the process is asked to end; resolves then. */
let hold;

async function work() {
  if (hold !== undefined) {
    const asked = hold;
    hold = undefined;
    process.send('holding');
    await asked;
  }
  if (pace === undefined) return new Promise((resolve) => setImmediate(resolve));
  const { usual, slow, every } = pace;
  return new Promise((resolve) => setTimeout(resolve, ++flights % every === 0 ? slow : usual));
}

class Handler {
  async handleMessage({ key, seq }, _state, { messageId, shard, epoch, redelivered }) {
    const flight = `${name}-${++numbers}`;
    const flown = { key, seq, id: messageId, process: name, epoch: `${name}:${shard}/${epoch}`, flight, redelivered };
    record({ type: 'start', ...flown });
    await work();
    const refused = refusing.has(key);
    record({ type: refused ? 'failed' : 'handled', ...flown });
    if (refused) throw new Error('this key is refused for now');
  }
}
MessageHandler()(Handler);

class App {}
const transport = recorded(rabbitmq(rabbit));
Module({ imports: [MississippiModule.forRoot({ ...options, transport })], providers: [Handler] })(App);

const app = await NestFactory.createApplicationContext(App, { logger: ['error', 'warn'] });
app.enableShutdownHooks();
const service = app.get(getDataUpdaterServiceToken(), { strict: false });

process.on('message', async ({ command, key }) => {
  if (command === 'heal') refusing.clear();
  if (command === 'hold') hold = new Promise((resolve) => process.once('SIGTERM', resolve));
  if (command === 'resume') await service.resume(key);
  if (command === 'stop') {
    await app.close();
    process.disconnect();
  }
});
process.send('ready');
