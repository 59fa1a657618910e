import { replaceMethod } from '@mississippi/history';
// The very modules that the workers and publishers run.
import { OwnedShard } from '../../../libs/core/dist/engine/shards/owned-shard.js';
import { pack } from '../../../libs/core/dist/signals/signal-envelope.js';
import { SignalCaller } from '../../../libs/rabbitmq/dist/signals/signal-caller.js';
import type { Mutant } from './mutant.js';

const signalRunTwice: Mutant = {
  name: 'signal-run-twice',
  fault: 'hands a signal to its key again when it has been answered',
  breaks: ['signalTwice'],
  actions: ['slowSignal'],
  plant: (struck) =>
    replaceMethod(
      OwnedShard.prototype,
      'signal',
      (signal) =>
        async function (this: OwnedShard, ...args) {
          await signal.apply(this, args);
          struck();
          return signal.apply(this, args);
        },
    ),
};

const signalWithoutDeadline: Mutant = {
  name: 'signal-without-deadline',
  fault: 'lets a signal wait for its turn longer than its caller waits',
  breaks: ['signalRanUntold'],
  actions: ['slowSignal'],
  plant: (struck) =>
    replaceMethod(
      OwnedShard.prototype,
      'signal',
      (signal) =>
        function (this: OwnedShard, key, bytes, timeout, ...rest) {
          if (timeout !== Infinity) struck();
          return signal.call(this, key, bytes, Infinity, ...rest);
        },
    ),
};

const signalAnsweredAtStart: Mutant = {
  name: 'signal-answered-at-start',
  fault: 'answers a signal when its handler starts',
  breaks: ['signalFalseAnswer'],
  actions: ['slowSignal'],
  plant: (struck) =>
    replaceMethod(
      OwnedShard.prototype,
      'signal',
      (signal) =>
        function (this: OwnedShard, key, bytes, timeout, started, ...rest) {
          return new Promise((resolve, reject) => {
            const onStart = (): void => {
              struck();
              started();
              // As if the handler had returned nothing.
              resolve(pack(undefined));
            };
            signal.call(this, key, bytes, timeout, onStart, ...rest).then(resolve, reject);
          });
        },
    ),
};

const callerWithoutDeadline: Mutant = {
  name: 'caller-without-deadline',
  fault: 'keeps the caller of a signal waiting as long as that waits',
  breaks: ['signalLate', 'signalUnanswered'],
  actions: ['slowSignal', 'alarm', 'kill'],
  where: ['publishers'],
  plant: (struck) =>
    replaceMethod(
      SignalCaller.prototype,
      'send',
      (send) =>
        function (this: SignalCaller, shard, key, signal, timeout, waiting) {
          if (timeout !== Infinity) struck();
          return send.call(this, shard, key, signal, Infinity, waiting);
        },
    ),
};

/** What is wrong with signals. */
export const SIGNAL_MUTANTS: readonly Mutant[] = [
  signalRunTwice,
  signalWithoutDeadline,
  signalAnsweredAtStart,
  callerWithoutDeadline,
];
