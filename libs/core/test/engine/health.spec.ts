import { memory } from '../../src/index.js';
import { startFailingKey } from '../support/failing-key.js';
import { FakeClock, settled } from '../support/fake-clock.js';
import { RecordingHandler } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

const MINUTE = 60_000;

/** The broker outlives the engine, so that another may take over. */
const startFailing = (failingInit: boolean, { broker = memory({ totalCount: 1 }).broker } = {}) =>
  startFailingKey({ failingInit, broker });

describe.each([
  ['whose attempts fail', false],
  ['whose init fails', true],
])('a key %s', (_, failingInit) => {
  test('ages while it fails: before it is moved aside under pressure, and in all its attempts from then on', async () => {
    const { send, clock, service, of, healed } = await startFailing(failingInit);
    await send('bad', '1', '2');
    for (let minute = 1; minute <= 60; minute++) {
      await clock.advance(MINUTE);
      expect(service.status().oldestHead).toBe(minute * MINUTE);
    }
    expect(of('parked')).toMatchObject([{ mode: 'pressure' }]);
    healed();
    await clock.advance(MINUTE);
    expect(service.status()).toMatchObject({ oldestHead: 0, failingInits: 0, parkedKeys: 0 });
  });

  test('ages from the moment of its failure on for the next owner of its shard', async () => {
    const first = await startFailing(failingInit);
    await first.send('bad', ...Array.from({ length: 5 }, (_unused, index) => `${index}`));
    expect(first.of('parked')).toHaveLength(1);
    await first.engine.stop();
    const second = await startFailing(failingInit, { broker: first.broker });
    await second.clock.advance(20 * MINUTE);
    expect(second.service.status().oldestHead).toBe(20 * MINUTE);
    second.healed();
    await second.clock.advance(MINUTE);
    expect(second.service.status().oldestHead).toBe(0);
  });

  test('that is parked until somebody resumes it is no failure any more, and starts afresh when he does', async () => {
    const { send, clock, service, of } = await startFailing(failingInit);
    await send('bad', '1', '2');
    await clock.advance(5 * MINUTE);
    await service.park('bad');
    await clock.advance(MINUTE);
    expect(service.status()).toMatchObject({ oldestHead: 0, failingInits: 0, backoffs: 0, parkedKeys: 1 });
    const failuresBefore = of('startFailed').length;
    await service.resume('bad');
    await settled();
    expect(service.status()).toMatchObject({ oldestHead: 0, failingInits: failingInit ? 1 : 0, backoffs: 1 });
    expect(clock.next! - clock.now()).toBe(100);
    if (failingInit) expect(of('startFailed')[failuresBefore]).toMatchObject({ failures: 1 });
    await clock.advance(MINUTE);
    expect(service.status().oldestHead).toBe(MINUTE);
  });

  test('whose only message is dropped is no failure any more', async () => {
    const { send, clock, service } = await startFailing(failingInit);
    await send('bad', '1');
    await clock.advance(1_000);
    await service.park('bad');
    await settled();
    await service.drop('bad');
    expect(service.status()).toMatchObject({ oldestHead: 0, failingInits: 0, backoffs: 0, parkedMessages: 0 });
    await service.resume('bad');
    expect([...service.liveKeys()]).toEqual([]);
  });
});

test('an init that fails for a signal holds no message up, so it is no failure of the key', async () => {
  const { service } = await startFailing(true);
  await service.park('bad');
  await expect(service.handleSignal('bad', 's')).rejects.toThrow('broken');
  expect(service.status()).toMatchObject({ failingInits: 0, parkedKeys: 1 });
});

test('how long signals have failed to start a data updater does not delay the messages of its key', async () => {
  const { service, send, clock } = await startFailing(true);
  await service.park('bad');
  await send('bad', '1');
  for (let tries = 0; tries < 10; tries++) await service.handleSignal('bad', 's').catch(() => undefined);
  await service.resume('bad');
  await settled();
  expect(clock.next! - clock.now()).toBe(100);
});

test('the clocks of two machines may differ: nobody fails since tomorrow', async () => {
  const clock = new FakeClock();
  const first = await startFailing(false);
  await first.clock.advance(24 * 60 * MINUTE);
  await first.send('bad', ...Array.from({ length: 5 }, (_unused, index) => `${index}`));
  await first.engine.stop();
  const handler = new RecordingHandler({ handleMessage: () => Promise.reject(new Error('broken')) });
  const { service } = await startEngine(handler, { clock, memory: { broker: first.broker } });
  await settled();
  expect(service.status().oldestHead).toBe(0);
});
