import type { ShardSession } from '@mississippi/core/transport';
import type { Mutant, SessionSeed } from './mutant.js';

const ASKED = 'to ask whether the ownership is certain changes nothing';
const VERIFIED = 'an owner that verifies its ownership goes on';

/** Owners that learn the wrong thing about their ownership, or lose it by asking. */
export const certaintyMutants: readonly Mutant[] = [
  {
    name: 'the ownership never gets certain',
    by: 'the ownership of a shard that was opened is certain',
    says: /to be certain/,
    session: (_session, { tookHold }) => ({
      isCertain: () => {
        tookHold();
        return false;
      },
      verify: () => Promise.resolve(),
    }),
  },
  {
    name: 'an ownership that is not certain cannot be verified',
    by: 'the ownership of a shard that was opened is certain',
    says: /must have verify/,
    session: (_session, { tookHold }) => ({
      isCertain: () => {
        tookHold();
        return false;
      },
    }),
  },
  {
    name: 'whoever asks often loses the shard',
    by: ASKED,
    says: /was lost|must go on/,
    session: asking((questions, { session, tookHold }) => {
      if (questions !== 100) return;
      tookHold();
      session.lose(new Error('it was asked too often'));
    }),
  },
  {
    name: 'whoever asks gives up what it has',
    by: ASKED,
    says: /opened shard|got|the window/,
    session: asking((questions, { session, tookHold }) => {
      if (questions !== 100) return;
      tookHold();
      session.giveUp(new Error('it was asked too often'));
    }),
  },
  {
    name: 'to ask lets more into the window',
    by: ASKED,
    says: /but prefetch is 5/,
    session: asking((_questions, { shard: { queue }, receiver, tookHold }) => {
      const message = queue.take();
      if (message === undefined) return;
      tookHold();
      receiver().deliver(message);
    }),
  },
  {
    name: 'the answer is a promise',
    by: ASKED,
    says: /the answer/,
    session: (_session, { tookHold }) => ({
      isCertain: () => {
        tookHold();
        return Promise.resolve(true) as unknown as boolean;
      },
      verify: () => Promise.resolve(),
    }),
  },
  {
    name: 'to verify takes for ever',
    by: VERIFIED,
    says: /for A\/0\/1 to verify/,
    session: verifying(({ tookHold }) => {
      tookHold();
      return new Promise(() => undefined);
    }),
  },
  {
    name: 'an owner is told that it is none',
    by: VERIFIED,
    says: /no longer yours/,
    session: verifying(async ({ tookHold }) => {
      tookHold();
      throw new Error('no longer yours');
    }),
  },
  {
    name: 'to verify ends the epoch',
    by: VERIFIED,
    says: /was lost|must go on|deliveries|opened again/,
    session: verifying(async ({ session, tookHold }) => {
      tookHold();
      session.lose(new Error('it was verified'));
    }),
  },
  {
    name: 'what can be verified is never in doubt',
    by: VERIFIED,
    says: /verify and isCertain go together/,
    session: (_session, { tookHold }) => {
      tookHold();
      return { verify: () => Promise.resolve() };
    },
  },
];

function asking(ask: (questions: number, seed: SessionSeed) => void): NonNullable<Mutant['session']> {
  return (_session, seed): Partial<ShardSession> => {
    let questions = 0;
    return {
      isCertain: () => {
        ask(++questions, seed);
        return true;
      },
      verify: () => Promise.resolve(),
    };
  };
}

function verifying(verify: (seed: SessionSeed) => Promise<void>): NonNullable<Mutant['session']> {
  return (_session, seed) => ({ isCertain: () => true, verify: () => verify(seed) });
}
