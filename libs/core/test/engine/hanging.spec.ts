import { Gates, RecordingHandler } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

const MINUTE = 60_000;

function hanging() {
  const gates = new Gates();
  return { gates, handler: new RecordingHandler({ handleMessage: (payload) => gates.at(payload) }) };
}

test('a callback that hangs is named in the log once a minute, with its key and its age', async () => {
  const { handler } = hanging();
  const { send, clock, logs } = await startEngine(handler, { memory: { totalCount: 1 }, handlerTimeout: Infinity });
  await send('k', 'a', 'b');
  await clock.advance(MINUTE - 1);
  expect(logs).toEqual([]);
  await clock.advance(1);
  expect(logs).toEqual([
    'handleMessage of the key "k" (shard 0) has been running for 60 s: nothing else of the key goes on meanwhile, and without a handlerTimeout it may do so for ever',
  ]);
  await clock.advance(2 * MINUTE);
  expect(logs.map((line) => /running for (\d+) s/.exec(line)?.[1])).toEqual(['60', '120', '180']);
});

test('each is named in its own time, and none after it has ended', async () => {
  const { handler, gates } = hanging();
  const { send, clock, logs } = await startEngine(handler, { hangingInterval: 1_000 });
  await send('k', 'a');
  await clock.advance(400);
  await send('l', 'b');
  await clock.advance(1_000);
  expect(logs.map((line) => /the key (\S+)/.exec(line)?.[1])).toEqual(['"k"', '"l"']);
  gates.open('a');
  await clock.advance(1_000);
  expect(logs.map((line) => /the key (\S+)/.exec(line)?.[1])).toEqual(['"k"', '"l"', '"l"']);
  expect(logs[2]).toContain('abandoned after handlerTimeout, 300 s');
  gates.open('b');
  await clock.advance(10_000);
  expect(logs).toHaveLength(3);
});

test('of many that hang ten are named, and the others counted', async () => {
  const { handler } = hanging();
  const { publish, clock, logs } = await startEngine(handler, { hangingInterval: 1_000 });
  for (let key = 0; key < 25; key++) await publish(`k${key}`, 'a');
  await clock.advance(1_000);
  expect(logs).toHaveLength(10);
  expect(logs[9]).toMatch(/\(and 15 more\)$/);
});

test('none is named where the interval is Infinity', async () => {
  const { handler } = hanging();
  const { send, clock, logs } = await startEngine(handler, { hangingInterval: Infinity, handlerTimeout: Infinity });
  await send('k', 'a');
  await clock.advance(100 * MINUTE);
  expect(logs).toEqual([]);
});
