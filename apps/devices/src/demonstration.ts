import { randomBytes } from 'node:crypto';
import { DataUpdaterService, EventsProducer } from '@mississippi/core';
import type { INestApplicationContext } from '@nestjs/common';
import { distinct, filter, lastValueFrom, take, timeout } from 'rxjs';
import { DeviceHandler } from './device.handler.js';
import { QUEUES } from './devices.module.js';
import { ElixirLikeProducer } from './elixir-like.producer.js';
import { type Reading, readingCodec } from './reading.js';

const DEVICES = 12;
const READINGS = 50;

/** How long to wait for the next reading, in milliseconds. */
const PATIENCE = 60_000;

/** Devices of this run only: ids at random, and one whose bytes are text. */
function ids(): Buffer[] {
  const text = Buffer.from(randomBytes(8).toString('hex'));
  return [...Array.from({ length: DEVICES - 1 }, () => randomBytes(16)), text];
}

const measure = (): Reading[] =>
  Array.from({ length: READINGS }, (_, index) => ({ sequence: index + 1, celsius: Math.random() * 50 - 10 }));

/**
 * All devices measure at once, and all but the last reading of each come from an Elixir-like producer. Tells whether each
 * device is known as it is.
 */
export async function demonstrate(
  app: INestApplicationContext,
  url: string,
  print: (line: string) => void,
): Promise<boolean> {
  const dataUpdaters = app.get(DataUpdaterService, { strict: false });
  const devices = ids().map((id) => ({ id, readings: measure() }));
  const idOf = (id: Buffer, { sequence }: Reading) => `${id.toString('hex')}-${sequence}`;
  const sent = new Set(devices.flatMap(({ id, readings }) => readings.map((reading) => idOf(id, reading))));
  const handled = lastValueFrom(
    dataUpdaters.events.pipe(
      filter((event) => event.type === 'handled' && sent.has(event.messageId ?? '')),
      distinct((event) => 'messageId' in event && event.messageId),
      take(sent.size),
      timeout(PATIENCE),
    ),
  );

  const elixirLike = await ElixirLikeProducer.connect(url, QUEUES);
  for (let n = 0; n < READINGS - 1; n++) {
    for (const { id, readings } of devices) {
      elixirLike.publish(id, readingCodec.encode(readings[n]!), idOf(id, readings[n]!));
    }
  }
  await elixirLike.confirmed();
  await elixirLike.close();
  // The last one by our own producer: it ends at the same data updater.
  const producer = app.get(EventsProducer, { strict: false });
  for (const { id, readings } of devices) {
    const reading = readings.at(-1)!;
    await producer.publish(reading, { shardingKey: id, messageId: idOf(id, reading) });
  }

  await handled;
  let right = true;
  for (const { id, readings } of devices) {
    const device = await dataUpdaters.for(DeviceHandler).key(id).look();
    const highest = Math.max(...readings.map(({ celsius }) => celsius));
    const expected = { id: id.toString('hex'), readings: READINGS, latest: READINGS, gaps: 0, highest };
    right &&= JSON.stringify(device) === JSON.stringify(expected);
    const where = `queue ${QUEUES.prefix}${dataUpdaters.shardOf(id)}`;
    print(
      `${device.id}  ${where}: ${device.readings} readings, ${device.gaps} gaps, up to ${device.highest?.toFixed(1)} °C`,
    );
  }
  return right;
}
