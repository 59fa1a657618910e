import { FakeClock } from '../../../core/test/support/fake-clock.js';
import { Coordinator } from '../../src/coordination/coordinator.js';

test('a question is settled when it was answered, so that the next coordinator gets it where this one dies before', async () => {
  const clock = new FakeClock();
  const done: string[] = [];
  let answered = (): void => undefined;
  const broker = {
    consumers: () => Promise.resolve(1),
    members: () => Promise.resolve(0),
    isAlive: () => Promise.resolve(true),
    order: () => Promise.resolve(),
    tell: () => new Promise<void>((resolve) => (answered = resolve)),
    answer: () => Promise.resolve(),
    forward: () => Promise.resolve(),
    keep: () => Promise.resolve(),
    mark: () => Promise.resolve(),
  };
  const hooks = { looked: () => undefined, failed: () => undefined };
  const coordinator = new Coordinator('one', 4, broker, clock, hooks);
  coordinator.asked({ address: 'here', question: 'who?', again: false, settle: () => done.push('settled') });
  await clock.advance(10);
  expect(done).toEqual([]);
  answered();
  await clock.advance(10);
  expect(done).toEqual(['settled']);
  coordinator.stop();
});
