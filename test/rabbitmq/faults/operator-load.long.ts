import { rabbitmq } from '@mississippi/rabbitmq';
import { anything } from '../../support/load/anything.js';
import { deactivate, drop, dropAll, pauseAndResume, retry } from '../../support/load/key-actions.js';
import { dropLetters, replayAll, replayKey, replayOne } from '../../support/load/letter-actions.js';
import type { Ground } from '../../support/load/load.js';
import { pauseType } from '../../support/load/pause-actions.js';
import { changeState } from '../../support/load/state-actions.js';
import { RabbitMqNode } from '../../support/rabbitmq-node.js';

let node: RabbitMqNode;
let runs = 0;

beforeAll(async () => {
  node = await RabbitMqNode.start();
});
afterAll(() => node.stop());

function onQueues(type: 'classic' | 'quorum'): Ground {
  const queues = { prefix: `load${++runs}_`, totalCount: 8, type };
  return { transport: () => rabbitmq({ urls: [node.url], claimInterval: 100, queues }), limits: {} };
}

describe.each(['classic', 'quorum'] as const)('under load, on %s queues, an operator', (type) => {
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
    ['drops dead letters of a filter', dropLetters],
    ['pauses and resumes a type of messages', pauseType],
    ['does all of it at once', anything],
  ])('%s', async (_name, act) => {
    await act({ ground: onQueues(type), steps: 300 });
  });
});
