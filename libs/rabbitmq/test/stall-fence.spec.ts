import { systemClock } from '@mississippi/core/transport';
import { FakeClock } from '../../core/test/support/fake-clock.js';
import { StallFence } from '../src/sessions/stall-fence.js';

const HEARTBEAT = 60_000;

/** A fence whose broker answers when it is told to. */
class Fenced {
  silence = 0;
  asked = 0;
  answer: () => void = () => undefined;
  readonly fence: StallFence;

  constructor() {
    const roundTrip = (): Promise<void> => {
      this.asked++;
      return new Promise((resolve) => (this.answer = resolve));
    };
    this.fence = new StallFence(
      () => HEARTBEAT,
      () => this.silence,
      roundTrip,
      () => undefined,
      systemClock,
    );
  }
}

test('ownership is certain while the broker is heard', () => {
  const { fence } = new Fenced();
  expect(fence.isCertain()).toBe(true);
  fence.stop();
});

test('after a heartbeat of silence nothing starts until the broker has answered', async () => {
  const fenced = new Fenced();
  const { fence } = fenced;
  fenced.silence = HEARTBEAT + 1;
  expect(fence.isCertain()).toBe(false);
  expect(fenced.asked).toBe(0);
  const verified = Promise.all([fence.verify(), fence.verify()]);
  expect(fenced.asked).toBe(1);
  fenced.silence = 0;
  expect(fence.isCertain()).toBe(false);
  fenced.answer();
  await verified;
  expect(fence.isCertain()).toBe(true);
  fence.stop();
});

test('goes by the heartbeat that was agreed upon last', async () => {
  const clock = new FakeClock();
  let heartbeat = 10_000;
  let silence = 0;
  let asked = 0;
  const roundTrip = async (): Promise<void> => void asked++;
  const fence = new StallFence(
    () => heartbeat,
    () => silence,
    roundTrip,
    () => undefined,
    clock,
  );
  heartbeat = 1_000;
  await clock.advance(10_000);
  expect(fence.isCertain()).toBe(true);
  const before = asked;
  silence = 1_001;
  expect(fence.isCertain()).toBe(false);
  await clock.advance(125);
  expect(asked).toBe(before + 1);
  fence.stop();
  expect(clock.pending).toBe(0);
});
