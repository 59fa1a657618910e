import { config, type Subscriber } from 'rxjs';
import { PlainRun } from '../../src/engine/updaters/callback-run.js';
import type { Fifo } from '../../src/collections/fifo.js';
import { RunContext } from '../../src/engine/updaters/callback-context.js';
import { Recovery } from '../../src/engine/messages/recovery.js';
import { KeyQueue, type KeyParts } from '../../src/engine/keys/key-queue.js';
import { Lane } from '../../src/engine/keys/lane.js';
import { MessageTracker } from '../../src/engine/messages/message-tracker.js';
import type { PendingSignal } from '../../src/engine/keys/pending-signal.js';
import { DeliveredMessage, type TrackedMessage } from '../../src/engine/messages/tracked-message.js';
import type { Delivery } from '../../src/transport/index.js';
import { Stop } from '../../src/outcomes.js';
import { replaceMethod, type Method } from './replace-method.js';

/** A fault that somebody might put into the engine. */
export interface Mutant {
  readonly name: string;
  /** What the history must say of it. */
  readonly says: RegExp;
  /** Puts the fault into the engine; the returned function takes it out again. */
  plant(): () => void;
}

const call = (target: object, name: string, ...args: unknown[]): unknown =>
  (Reflect.get(target, name) as Method).apply(target, args);
const fifoOf = (tracker: object): Fifo<TrackedMessage> => Reflect.get(tracker, 'fifo') as Fifo<TrackedMessage>;
const subscriberOf = (lane: object): Subscriber<never> => Reflect.get(lane, 'subscriber') as Subscriber<never>;
const epochOf = (tracker: object) => (tracker as MessageTracker).epoch;

const settlesBeforeHandling: Mutant = {
  name: 'settles a message before it is handled',
  says: /was settled before it was handled/,
  plant() {
    const early = new WeakSet<TrackedMessage>();
    const undo = [
      replaceMethod(
        MessageTracker.prototype,
        'beginAttempt',
        (beginAttempt) =>
          function () {
            const head = beginAttempt.call(this) as TrackedMessage;
            if (head instanceof DeliveredMessage && !early.has(head)) {
              early.add(head);
              epochOf(this).session.settle(head.delivery);
            }
            return head;
          },
      ),
      replaceMethod(
        MessageTracker.prototype,
        'handled',
        (handled) =>
          function (outcome) {
            const head = fifoOf(this).peek()!;
            if (early.has(head)) call(this, 'removeHead');
            else handled.call(this, outcome);
          },
      ),
    ];
    return () => undo.forEach((restore) => restore());
  },
};

const skipsAfterRetry: Mutant = {
  name: 'goes on with the next message when a retry fails',
  says: /leaves a gap/,
  plant: () =>
    replaceMethod(
      MessageTracker.prototype,
      'fail',
      (fail) =>
        function (error) {
          if ((Reflect.get(this, 'attempt') as number) >= 2) call(this, 'removeHead');
          else fail.call(this, error);
        },
    ),
};

const signalsAtOnce: Mutant = {
  name: 'runs a signal while another callback of the key runs',
  says: /handleSignal\(.* overlaps/,
  plant: () =>
    replaceMethod(
      KeyQueue.prototype,
      'signal',
      (signal) =>
        function (pending) {
          const { updater } = (this as KeyQueue).activation;
          if (updater === undefined || !(Reflect.get(this, 'running') as boolean)) {
            signal.call(this, pending);
            return;
          }
          const { handler } = (this as KeyQueue).activation;
          const asked = pending as PendingSignal;
          const run = new PlainRun(
            'handleSignal',
            this as KeyQueue,
            undefined,
            0,
            (self) => handler.handleSignal!(asked.signal, updater.state, new RunContext(self)),
            () => undefined,
          );
          const answer = Promise.resolve(run.invoke());
          answer.then(
            (value) => asked.answer(value),
            (error: unknown) => asked.reject(error),
          );
        },
    ),
};

const losesOnStop: Mutant = {
  name: 'forgets the messages that wait behind one that says stop',
  says: /leaves a gap|does not come to rest/,
  plant: () =>
    replaceMethod(
      MessageTracker.prototype,
      'handled',
      (handled) =>
        function (outcome) {
          const fifo = fifoOf(this);
          const head = outcome instanceof Stop ? fifo.shift() : undefined;
          if (head !== undefined) {
            while (fifo.length > 0) fifo.shift();
            fifo.push(head);
          }
          handled.call(this, outcome);
        },
    ),
};

const forgetsKeyInUse: Mutant = {
  name: 'takes an idle key out of the map before its data updater has ended',
  says: /overlaps|doubles a live data updater/,
  plant: () =>
    replaceMethod(
      KeyQueue.prototype,
      'deactivate',
      (deactivate) =>
        function (reason) {
          deactivate.call(this, reason);
          (Reflect.get(this, 'parts') as KeyParts).left(this as KeyQueue);
        },
    ),
};

const laneDies: Mutant = {
  name: 'lets a turn error, so that its lane dies in silence',
  says: /does not come to rest|does not stop/,
  plant() {
    let turns = 0;
    const { onUnhandledError } = config;
    config.onUnhandledError = () => undefined;
    const restore = replaceMethod(
      Lane.prototype,
      'end',
      (end) =>
        function () {
          if (++turns % 20 === 0) subscriberOf(this).error(new Error('the turn failed'));
          end.call(this);
        },
    );
    return () => {
      restore();
      config.onUnhandledError = onUnhandledError;
    };
  },
};

const handlesBesideParked: Mutant = {
  name: 'handles a new delivery of a parked key instead of appending it',
  says: /leaves a gap|was neither settled nor handled/,
  plant: () =>
    replaceMethod(
      MessageTracker.prototype,
      'deliver',
      (deliver) =>
        function (delivery, handledBefore) {
          const tracker = this as MessageTracker;
          if (!tracker.isParked) {
            deliver.call(this, delivery, handledBefore);
            return;
          }
          const now = epochOf(this).environment.clock.now();
          fifoOf(this).push(new DeliveredMessage(now, delivery as Delivery, false, false));
          (Reflect.get(this, 'key') as KeyQueue).wake();
        },
    ),
};

const settlesForLostEpoch: Mutant = {
  name: 'settles by the outcome of an attempt whose epoch was lost',
  says: /which has ended/,
  plant: () =>
    replaceMethod(
      MessageTracker.prototype,
      'endedLate',
      (endedLate) =>
        function (outcome, error) {
          const handled = endedLate.call(this, outcome, error) as Delivery | undefined;
          if (handled !== undefined) epochOf(this).session.settle(handled);
          return handled;
        },
    ),
};

const retriesAtTail: Mutant = {
  name: 'retries a failed message behind those that wait',
  says: /leaves a gap/,
  plant: () =>
    replaceMethod(
      Recovery.prototype,
      'retryAfter',
      (retryAfter) =>
        function (delay, error) {
          retryAfter.call(this, delay, error);
          const { fifo, phase, head } = Reflect.get(this, 'tracker') as MessageTracker;
          if (phase !== 'backoff' || fifo.length < 2 || !(head instanceof DeliveredMessage)) return;
          fifo.push(fifo.shift()!);
        },
    ),
};

export const mutants: readonly Mutant[] = [
  settlesBeforeHandling,
  skipsAfterRetry,
  signalsAtOnce,
  losesOnStop,
  forgetsKeyInUse,
  laneDies,
  handlesBesideParked,
  settlesForLostEpoch,
  retriesAtTail,
];
