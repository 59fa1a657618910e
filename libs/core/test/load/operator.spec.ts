import { anything, anythingAmongLosses } from '#support/load/anything.js';
import { deactivate, drop, dropAll, pauseAndResume, retry } from '#support/load/key-actions.js';
import { embedded } from '#support/load/embedded.js';
import { dropLetters, replayAll, replayIntoHeld, replayKey, replayOne } from '#support/load/letter-actions.js';
import { pauseIntake, pauseOnlyIntake, pauseType } from '#support/load/pause-actions.js';
import { changeState } from '#support/load/state-actions.js';

describe('under load, on the embedded transport, an operator', () => {
  test.each([
    ['retries heads, each once and at once', retry],
    ['drops heads, those and no others', drop],
    ['drops all that is parked of keys, and nothing that comes later', dropAll],
    ['pauses keys, tries a message of one, and resumes them in order', pauseAndResume],
    ['ends data updaters, and what comes next has fresh ones', deactivate],
    ['edits, forgets and restores a state, each of the version that he names', changeState],
    ['replays dead letters one by one', replayOne],
    ['replays the dead letters of a key, in order', replayKey],
    ['replays the dead letters of a filter, no faster than he says', replayAll],
    ['replays dead letters into keys that are held while their shards are lost', replayIntoHeld],
    ['drops dead letters of a filter', dropLetters],
    ['pauses and resumes a type of messages', pauseType],
    ['pauses and resumes the intake of either of two processes', pauseIntake],
    ['pauses and resumes the intake of the only process', pauseOnlyIntake],
    ['does all of it at once', anything],
    ['does all of it at once, while shards are lost', anythingAmongLosses],
  ])('%s', async (_name, act) => {
    await act({ ground: embedded() });
  });
});
