// A process that consumes as an app of a user would, to be killed at any moment. It records what happens into a file, so
// that nothing is lost with it, and obeys its parent.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  getDataUpdaterServiceToken,
  getEventsProducerToken,
  getMississippiOperatorToken,
  memory,
  MessageHandler,
  MississippiModule,
} from '@mississippi/core';
import { AppliedHandler, FileRecorder, recordedTransport, RecordingHandler } from '@mississippi/history';
import { postgres } from '@mississippi/postgres';
import { rabbitmq } from '@mississippi/rabbitmq';

// JSON has no Infinity.
const { name, folder, rabbit, store, options, failing, pace } = JSON.parse(process.argv[2], (_key, value) =>
  value === 'Infinity' ? Infinity : value,
);
const refusing = new Set(failing);
const recorder = new FileRecorder(folder, name, tellProgress);
let told = false;
let attempts = 0;

/** Set while the next attempt is to wait until the process is asked to end; resolves then. */
let hold;

function tellProgress() {
  if (told) return;
  told = true;
  setImmediate(() => {
    told = false;
    if (process.connected) process.send('progress');
  });
}

async function work({ key }) {
  if (hold !== undefined) {
    const asked = hold;
    hold = undefined;
    process.send('holding');
    await asked;
  }
  if (pace === undefined) await new Promise((resolve) => setImmediate(resolve));
  else await new Promise((resolve) => setTimeout(resolve, ++attempts % pace.every === 0 ? pace.slow : pace.usual));
  if (refusing.has(key)) throw new Error('this key is refused for now');
}

class Forgetful extends RecordingHandler {
  constructor() {
    super(recorder);
  }

  work(message) {
    return work(message);
  }
}

/** Its state, in a store, says which messages had their effect. */
class Durable extends AppliedHandler {
  constructor() {
    super(recorder, work);
  }
}
const Handler = store === undefined ? Forgetful : Durable;
MessageHandler()(Handler);

class App {}
const transport = recordedTransport(rabbit === undefined ? memory({ totalCount: 8 }) : rabbitmq(rabbit), recorder);
const kept = store === undefined ? {} : { store: postgres(store) };
Module({ imports: [MississippiModule.forRoot({ ...options, ...kept, transport })], providers: [Handler] })(App);

const app = await NestFactory.createApplicationContext(App, { logger: ['error', 'warn'] });
app.enableShutdownHooks();
const service = app.get(getDataUpdaterServiceToken(), { strict: false });

const producer = app.get(getEventsProducerToken(), { strict: false });
const operator = app.get(getMississippiOperatorToken(), { strict: false });

/** Where nobody else could publish or operate, since the transport is embedded. */
const CALLS = {
  publish: ({ id, key, seq }) => producer.publish({ key, seq }, { shardingKey: key, messageId: id }),
  operate: ({ call, args }) => operator[call](...args),
};

async function answer({ command, number, ...request }) {
  try {
    process.send({ number, value: await CALLS[command](request) });
  } catch (error) {
    process.send({ number, error: error.code ?? String(error) });
  }
}

async function obey({ command, key }) {
  if (command === 'heal') refusing.clear();
  if (command === 'hold') hold = new Promise((resolve) => process.once('SIGTERM', resolve));
  if (command === 'resume') await service.resume(key);
  if (command === 'stop') {
    await app.close();
    process.disconnect();
  }
}

// What it rejects with ends the process, and the test with it.
process.on('message', (message) => void (message.command in CALLS ? answer(message) : obey(message)));
process.send('ready');
