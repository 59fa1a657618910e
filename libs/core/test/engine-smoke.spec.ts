import { ack } from '../src/index.js';
import { settled } from './support/fake-clock.js';
import { startEngine } from './support/test-engine.js';

test('a failing message is retried in order', async () => {
  const seen: string[] = [];
  let fail = true;
  const { publish, clock, engine, events } = await startEngine({
    handleMessage(payload: unknown) {
      seen.push(String(payload));
      if (payload === 'a' && fail) {
        fail = false;
        throw new Error('no');
      }
      return ack(1);
    },
  });
  await publish('k', 'a');
  await publish('k', 'b');
  await settled();
  expect(seen).toEqual(['a']);
  await clock.advance(100);
  expect(seen).toEqual(['a', 'a', 'b']);
  expect(events.map((e) => e.type)).toContain('retried');
  await engine.stop();
});
