import { checkHistory, Recorder, refOf, type HistoryEvent, type Outcome } from '../src/index.js';

/** Two messages of a key, of which the second is attempted before the first is settled. */
function history(first: Outcome): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  const recorder = new Recorder('app', (event) => events.push(event));
  const epoch = { shard: 0, epoch: 1 };
  const refs = [refOf('k', 0), refOf('k', 1)];
  recorder.record({ type: 'owned', ...epoch });
  for (const [index, ref] of refs.entries()) {
    recorder.record({ type: 'published', ...ref });
    recorder.record({ type: 'confirmed', ...ref });
    recorder.record({ type: 'delivered', ...ref, ...epoch, delivery: index, redelivered: false, fromSide: false });
  }
  for (const [run, ref] of refs.entries()) {
    const called = { ...ref, ...epoch, callback: 'handleMessage', run, attempt: 1, redelivered: false } as const;
    recorder.record({ type: 'started', ...called });
    recorder.record({ type: 'ended', ...called, outcome: run === 0 ? first : 'ok', stops: false });
  }
  for (const [delivery, ref] of refs.entries()) recorder.record({ type: 'settled', ...ref, ...epoch, delivery });
  return events;
}

const promises = (first: Outcome, settlesLater: boolean): string[] =>
  checkHistory(history(first), { ackDelay: 0, settlesLater }).violations.map(({ promise }) => promise);

test('an attempt may start before what was handled is settled where there is a store, and nowhere else', () => {
  expect(promises('ok', true)).toEqual([]);
  expect(promises('ok', false)).toEqual(['overtaking']);
});

test('an attempt may not start before what failed is settled, with a store neither', () => {
  expect(promises('failed', true)).toContain('overtaking');
});
