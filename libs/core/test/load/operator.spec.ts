import { ACTIONS } from '#support/load/actions.js';
import { anythingAmongLosses } from '#support/load/anything.js';
import { embedded } from '#support/load/embedded.js';
import { replayIntoHeld } from '#support/load/letter-actions.js';
import { pauseIntake, pauseOnlyIntake } from '#support/load/pause-actions.js';

describe('under load, on the embedded transport, an operator', () => {
  test.each([
    ...ACTIONS,
    ['replays dead letters into keys that are held while their shards are lost', replayIntoHeld] as const,
    ['pauses and resumes the intake of either of two processes', pauseIntake] as const,
    ['pauses and resumes the intake of the only process', pauseOnlyIntake] as const,
    ['does all of it at once, while shards are lost', anythingAmongLosses] as const,
  ])('%s', async (_name, act) => {
    await act({ ground: embedded() });
  });
});
