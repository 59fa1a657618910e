import { openContender, type ContenderName } from '../src/process/contenders.js';
import type { Payload } from '../src/process/dispatcher.js';
import { Feeder, Tally } from '../src/process/feeder.js';
import { Keys } from '../src/process/keys.js';
import { Bodies } from '../src/process/message.js';

const NAMES: ContenderName[] = ['mississippi', 'subject', 'promise-chain', 'fastq', 'p-queue', 'async-mutex'];

describe('the contenders in the process', () => {
  const cases = NAMES.flatMap((name) => [
    [name, 'json', false] as const,
    [name, 'bytes', false] as const,
    ...(name === 'subject' ? [] : [[name, 'bytes', true] as const]),
  ]);

  it.each(cases)('%s handles every message once (%s, answers: %s)', async (name, payload: Payload, answers) => {
    const tally = new Tally();
    let handled = 0;
    const setup = {
      payload,
      window: 300,
      handled: (): void => {
        handled++;
        tally.handled();
      },
    };
    const contender = await openContender(name, setup, answers);
    await new Feeder(contender, tally, new Keys(7), new Bodies()).feed(100, 30);
    await contender.close();
    expect(handled).toBe(100);
  });
});
