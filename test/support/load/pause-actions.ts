import { underLoad, type Action } from './key-actions.js';
import { nameOf, round, type Load } from './load.js';

const RARE = 'rare';
/** Every fifth message of every second key is of that type. */
const typeOf = ({ key, seq }: { readonly key: string; readonly seq: number }): string =>
  Number(/\d+$/.exec(key)![0]) % 2 === 0 && seq % 5 === 2 ? RARE : 'usual';

/** No message of a type that is paused starts, while keys without one go on; resumed they are handled in order. */
export const pauseType: Action = (options) =>
  underLoad({ typeOf, ...options }, async (load) => {
    for (let times = 0; times < 4; times++) {
      await load.until('some of the type were handled', () => load.count('attempted', RARE) > 20 * (times + 1));
      const before = load.count('parked');
      await load.operator.pauseType(RARE);
      const started = load.count('attempted', RARE);
      await load.until('keys were parked', () => load.count('parked') > before + 50);
      await load.untilMore(200);
      expect(load.count('attempted', RARE)).toBe(started);
      expect(await load.operator.inner.pausedTypes()).toEqual([RARE]);
      await load.operator.resumeType(RARE);
      expect(await load.operator.inner.pausedTypes()).toEqual([]);
      await load.untilCaughtUp(load.keys);
    }
  });

/** Asks until a process owns nothing. */
function untilNothingOwned(load: Load, index: number): Promise<void> {
  return load.untilAsked(`${nameOf(index)} owns nothing`, async () => {
    const [own] = await load.apps[index]!.operator.processes();
    return own!.shards.length === 0;
  });
}

/** A process whose intake is paused hands its shards over, in good order, and takes none until it is resumed. */
export const pauseIntake: Action = (options) =>
  underLoad({ processes: 2, ...options }, async (load) => {
    const handledBy = (index: number): number => load.history.handledBy(nameOf(index));
    for (let times = 0; times < 4; times++) {
      const [index, other] = times % 2 === 0 ? [0, 1] : [1, 0];
      const { operator } = load.apps[index]!;
      const [own] = await operator.processes();
      await load.operatorOf(index).pauseIntake(own!.name, nameOf(index));
      await untilNothingOwned(load, index);
      const [before, handled] = [handledBy(other), handledBy(index)];
      await load.until('the other one goes on', () => handledBy(other) > before + 300);
      expect(handledBy(index)).toBe(handled);
      await load.operatorOf(index).resumeIntake(own!.name, nameOf(index));
    }
    expect(load.count('released')).toBeGreaterThanOrEqual(4 * load.shards.length);
  });

/** Where no other process is, messages wait in the broker, and the process has all of them when it is resumed. */
export const pauseOnlyIntake: Action = (options) =>
  underLoad({ ...options }, async (load) => {
    const { operator } = load;
    const [own] = await operator.inner.processes();
    for (let times = 0; times < 3; times++) {
      await operator.pauseIntake(own!.name, nameOf(0));
      await untilNothingOwned(load, 0);
      const { handled } = load.history;
      await load.publish('waiting', 50);
      for (let rounds = 0; rounds < 100; rounds++) await round();
      expect(load.history.handled).toBe(handled);
      await operator.resumeIntake(own!.name, nameOf(0));
      await load.untilMore(300);
    }
  });
