import { map } from 'rxjs';
import type { MississippiEvent } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { RecordingHandler } from '../support/recording-handler.js';
import { startEngine, type TestEngine } from '../support/test-engine.js';

/** Calls the service from inside a listener, at the first event of a type. */
function once({ engine }: TestEngine, type: MississippiEvent['type'], listen: () => void): void {
  let heard = false;
  engine.events.subscribe((event) => {
    if (heard || event.type !== type) return;
    heard = true;
    listen();
  });
}

/** A handler whose first attempts fail. */
function failing(times: number): RecordingHandler {
  let attempts = 0;
  return new RecordingHandler({
    handleMessage: () => {
      if (++attempts <= times) throw new Error('broken');
    },
  });
}

describe('a listener of events that calls back into the service', () => {
  test('may park on `retried`, resume, and park again', async () => {
    const handler = failing(1);
    const test = await startEngine(handler);
    const { service, send, clock } = test;
    once(test, 'retried', () => {
      void service.park('k');
      void service.resume('k');
      void service.park('k');
    });
    await send('k', 'a', 'b');
    expect([...service.liveKeys()]).toMatchObject([{ state: 'parked', parked: 2 }]);
    await service.resume('k');
    await clock.advance(60_000);
    expect(handler.messages('k')).toEqual(['a', 'a', 'b']);
  });

  test('may resume on `parked`: the key goes on', async () => {
    const handler = failing(1);
    const test = await startEngine(handler, { failurePolicy: { attempts: 1, onExhausted: 'park' } });
    const { service, send, clock } = test;
    once(test, 'parked', () => void service.resume('k'));
    await send('k', 'a', 'b');
    await clock.advance(60_000);
    expect(handler.messages('k')).toEqual(['a', 'a', 'b']);
    expect(test.transport.broker.length).toBe(0);
    expect(service.status()).toMatchObject({ parkedMessages: 0, parkedKeys: 0 });
  });

  test('may park on `unparked`: the key is parked', async () => {
    const handler = failing(0);
    const test = await startEngine(handler);
    const { service, send } = test;
    await service.park('k');
    await send('k', 'a');
    once(test, 'unparked', () => void service.park('k'));
    await service.resume('k');
    await settled();
    await send('k', 'b');
    expect(handler.messages('k')).toEqual(['a']);
    expect([...service.liveKeys()]).toMatchObject([{ state: 'parked', parked: 1 }]);
    await service.resume('k');
    await settled();
    expect(handler.messages('k')).toEqual(['a', 'b']);
  });

  test('finds the shard that it is told to own', async () => {
    const epochs: number[] = [];
    const { engine, transport, service, publish } = await startEngine(failing(0), { memory: { totalCount: 1 } });
    engine.events.subscribe(({ type }) => {
      if (type === 'shardOwned') void service.getDataUpdater('k').then(({ epoch }) => epochs.push(epoch));
    });
    transport.broker.loseShard(0);
    await settled();
    expect(epochs).toEqual([2]);
    await publish('k', 'a');
    await settled();
  });

  test('finds the key as the event says', async () => {
    const test = await startEngine(failing(0));
    const { service, send, engine } = test;
    const seen: unknown[] = [];
    engine.events.subscribe(({ type }) => {
      if (type === 'handled') seen.push(...[...service.liveKeys()].map(({ state, queued }) => ({ state, queued })));
    });
    await send('k', 'a');
    expect(seen).toEqual([{ state: 'idle', queued: 0 }]);
  });
});

describe('a listener of events that throws', () => {
  test('ends nothing: it is told in the log, and hears what follows', async () => {
    const { engine, send, logs, of } = await startEngine(failing(0));
    let heard = 0;
    engine.events.subscribe(() => {
      heard++;
      throw new Error('the listener is broken');
    });
    await send('k', 'a', 'b');
    expect(of('handled')).toHaveLength(2);
    expect(heard).toBe(5);
    expect(logs).toContain('A listener of the events threw, and goes on listening: Error: the listener is broken');
  });

  test('keeps no other from hearing', async () => {
    const { engine, send } = await startEngine(failing(0));
    const heard: string[] = [];
    engine.events.subscribe({
      next: () => {
        throw new Error('broken');
      },
    });
    engine.events.pipe(map(({ type }) => type)).subscribe((type) => heard.push(type));
    await send('k', 'a');
    expect(heard).toEqual(['started', 'attemptStarted', 'handled']);
  });
});

test('what happened before the end is told before the events end', async () => {
  const { engine, send, events } = await startEngine(failing(0));
  let ended = false;
  engine.events.subscribe({ complete: () => (ended = true) });
  await send('k', 'a');
  const stopped = engine.stop();
  await stopped;
  expect(events.map(({ type }) => type).slice(-2)).toContain('shardReleased');
  expect(ended).toBe(true);
});
