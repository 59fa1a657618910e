import {
  DeadLettersBusyError,
  HeadNotWaitingError,
  NobodyAnswersError,
  NoCoordinatorError,
  NoOwnerError,
  OperatorTimeoutError,
  StoreUnavailableError,
} from '@mississippi/core';
import { RabbitMqSetupError } from '@mississippi/rabbitmq';
import { InterruptedError, NotFoundError, UsageError } from '../src/errors.js';
import { exitCodeOf } from '../src/exit-codes.js';

test.each([
  [new UsageError('x'), 2],
  [new NotFoundError('x'), 4],
  [new InterruptedError('x'), 130],
  [new StoreUnavailableError('x'), 3],
  [new NoOwnerError('k', 1, 5), 3],
  [new NoCoordinatorError('pauseType of "t"', 5), 7],
  [new DeadLettersBusyError(), 6],
  [new HeadNotWaitingError('k', 'drop', 'running'), 1],
  [new OperatorTimeoutError('x', 5, false), 3],
  [new OperatorTimeoutError('x', 5, true), 7],
  [new OperatorTimeoutError('x', 5, undefined), 7],
  [new RabbitMqSetupError('RabbitMQ at h refuses the connection (403)'), 5],
  [new RabbitMqSetupError('The queues have 7 shards'), 1],
  [new NobodyAnswersError('no answer within 5000 ms'), 3],
  [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 70],
  [new TypeError('x is not a function'), 70],
  ['thrown text', 70],
])('%s ends with %i', (error, status) => {
  expect(exitCodeOf(error)).toBe(status);
});
