import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DataUpdaterService } from '@mississippi/core';
import { NestFactory } from '@nestjs/core';
import { filter, firstValueFrom } from 'rxjs';
import { DeviceHandler } from '../../apps/devices/src/device.handler.js';
import { DevicesModule, QUEUES } from '../../apps/devices/src/devices.module.js';
import { ElixirLikeProducer } from '../../apps/devices/src/elixir-like.producer.js';
import { findServer, sharedUrl } from '../support/broker.js';
import { erlangPeer } from '../support/erlang-peer.js';
import { publishRawFromErlang } from '../support/erlang.js';
import { deleteQueues } from '../support/raw-broker.js';
import { SampleProcess } from '../support/sample-process.js';

/** It takes seconds; the limit is for machines that are busy with other things. */
const PATIENCE = 240_000;
const VERIFIED = 'VERIFIED: each device has all of its readings, in order';

describe('npm run devices', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'devices-test-'));
  });

  afterEach(async () => {
    await SampleProcess.endAll();
    await rm(folder, { recursive: true });
  });

  const start = (...args: string[]) => new SampleProcess('devices', args, { TMPDIR: folder });

  it('verifies every device over a RabbitMQ that is given', async () => {
    const devices = start(`--rabbitmq=${sharedUrl()}`);
    expect({ status: await devices.ended, errors: devices.errors }).toEqual({ status: 0, errors: '' });
    expect(devices.output.match(/^[0-9a-f]{32} {2}queue devices_\d+: 50 readings, 0 gaps, /gm)).toHaveLength(12);
    expect(devices.lastLine).toBe(VERIFIED);
    await deleteQueues(sharedUrl(), QUEUES.prefix, QUEUES.totalCount);
  });

  if (findServer() !== 'installed') {
    it('says in two lines how to get a RabbitMQ, and ends with status 2', async () => {
      const devices = start();
      expect(await devices.ended).toBe(2);
      expect(devices.errors).toMatch(/^There is no RabbitMQ here to start: [^\n]+\nOr [^\n]+\n$/);
    });
    return;
  }

  it(
    'verifies every device over a RabbitMQ of its own, and leaves nothing of it',
    async () => {
      const devices = start();
      expect({ status: await devices.ended, errors: devices.errors }).toEqual({ status: 0, errors: '' });
      expect(devices.lastLine).toBe(VERIFIED);
      expect(await readdir(folder)).toEqual([]);
    },
    PATIENCE,
  );
});

describe('The devices of producers that are not ours', () => {
  const queues = { prefix: `devices-${randomBytes(4).toString('hex')}-`, totalCount: 4 };

  it('are one device, whether Erlang published or its like', async () => {
    const peer = await erlangPeer();
    const app = await NestFactory.createApplicationContext(DevicesModule.register(peer.url, queues), {
      logger: ['fatal'],
    });
    try {
      const dataUpdaters = app.get(DataUpdaterService, { strict: false });
      const last = firstValueFrom(
        dataUpdaters.events.pipe(filter((event) => event.type === 'handled' && event.messageId === 'last')),
      );
      const key = '<<16#83,16#ff,0,254,1,2,3,4,5,6,7,8,9,10,11,12>>';
      const queue = `${queues.prefix}${peer.eval(`erlang:phash2(${key}, ${queues.totalCount}).`)}`;
      publishRawFromErlang(peer, queue, {
        headers: `[{<<"sharding_key">>, longstr, term_to_binary(${key})}]`,
        messageId: '<<"first">>',
        body: '<<1:32, 21.5:64/float>>',
      });
      const id = Buffer.from('83ff00fe0102030405060708090a0b0c', 'hex');
      const like = await ElixirLikeProducer.connect(peer.url, queues);
      like.publish(id, Buffer.from('000000024035000000000000', 'hex'), 'last');
      await like.confirmed();
      await like.close();
      await last;
      const known = { id: id.toString('hex'), readings: 2, latest: 2, gaps: 0, highest: 21.5 };
      expect(await dataUpdaters.for(DeviceHandler).key(id).look()).toEqual(known);
    } finally {
      await app.close();
      await deleteQueues(peer.url, queues.prefix, queues.totalCount);
      await peer.stop();
    }
  });

  it('are told when their queue is missing', async () => {
    const like = await ElixirLikeProducer.connect(sharedUrl(), { prefix: `${queues.prefix}none-`, totalCount: 4 });
    like.publish(Buffer.from([255]), Buffer.alloc(12), 'lost');
    await expect(like.confirmed()).rejects.toThrow(/^There is no queue devices-\w+-none-\d: start a consumer first\.$/);
    await like.close();
  });
});
