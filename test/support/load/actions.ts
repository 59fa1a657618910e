import { anything } from './anything.js';
import { deactivate, drop, dropAll, pauseAndResume, retry, type Action } from './key-actions.js';
import { dropLetters, replayAll, replayKey, replayOne } from './letter-actions.js';
import { pauseType } from './pause-actions.js';
import { changeState } from './state-actions.js';

/** What an operator does on any transport, and what it keeps. */
export const ACTIONS: readonly (readonly [keeps: string, act: Action])[] = [
  ['retries heads, each once and at once', retry],
  ['drops heads, those and no others', drop],
  ['drops all that is parked of keys, and nothing that comes later', dropAll],
  ['pauses keys, tries a message of one, and resumes them in order', pauseAndResume],
  ['ends data updaters, and what comes next has fresh ones', deactivate],
  ['edits, forgets and restores a state, each of the version that he names', changeState],
  ['replays dead letters one by one', replayOne],
  ['replays the dead letters of a key, in order', replayKey],
  ['replays the dead letters of a filter, no faster than he says', replayAll],
  ['drops dead letters of a filter', dropLetters],
  ['pauses and resumes a type of messages', pauseType],
  ['does all of it at once', anything],
];
