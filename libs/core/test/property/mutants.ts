import { config } from 'rxjs';
import { replaceMethod, together, type Mutant as Planted } from '@mississippi/history';
import { AttemptSlots } from '../../src/engine/base/attempt-slots.js';
import { KeyTable, type KeyedItem } from '../../src/engine/base/key-table.js';
import { KeyQueue } from '../../src/engine/keys/key-queue.js';
import { Lane } from '../../src/engine/keys/lane.js';
import { MessageTracker } from '../../src/engine/messages/message-tracker.js';
import { DeliveredMessage, type TrackedMessage } from '../../src/engine/messages/tracked-message.js';
import { RunContext } from '../../src/engine/updaters/callback-context.js';
import { PlainRun, UNPROMPTED } from '../../src/engine/updaters/callback-run.js';
import { Stop } from '../../src/outcomes.js';
import type { Broken } from './chronicle.js';

/** A fault that somebody might put into the engine, by public members of its classes. */
export interface Mutant extends Planted {
  /** The promises of which at least one must be seen broken. */
  readonly breaks: readonly Broken[];
}

const settlesBeforeHandling: Mutant = {
  name: 'settles-before-handling',
  fault: 'settles a message before it is handled',
  breaks: ['settledUnhandled'],
  plant(struck) {
    const early = new WeakSet<TrackedMessage>();
    return replaceMethod(
      MessageTracker.prototype,
      'beginAttempt',
      (beginAttempt) =>
        function (this: MessageTracker) {
          const head = beginAttempt.call(this);
          if (head instanceof DeliveredMessage && !early.has(head)) {
            early.add(head);
            struck();
            this.epoch.session.settle(head.delivery);
          }
          return head;
        },
    );
  },
};

const skipsAfterRetry: Mutant = {
  name: 'skips-after-retry',
  fault: 'goes on with the next message when a retry fails',
  breaks: ['outOfOrder', 'stuck'],
  plant: (struck) =>
    replaceMethod(
      MessageTracker.prototype,
      'fail',
      (fail) =>
        function (this: MessageTracker, error) {
          if (this.attempt < 2) {
            fail.call(this, error);
            return;
          }
          struck();
          const head = this.fifo.shift()!;
          this.phase = 'open';
          this.attempt = 0;
          if (head instanceof DeliveredMessage) this.settled(head);
        },
    ),
};

const signalsAtOnce: Mutant = {
  name: 'signals-at-once',
  fault: 'runs a signal while another callback of the key runs',
  breaks: ['overlapWithin', 'foreignState'],
  plant: (struck) =>
    replaceMethod(
      KeyQueue.prototype,
      'signal',
      (signal) =>
        function (this: KeyQueue, pending) {
          const { updater, handler } = this.activation;
          if (updater === undefined || !this.running || pending.purpose !== 'signal') {
            signal.call(this, pending);
            return;
          }
          struck();
          const call = (run: ConstructorParameters<typeof RunContext>[0]): unknown =>
            handler.handleSignal!(pending.signal, updater.state, new RunContext(run));
          const run = new PlainRun('handleSignal', this, UNPROMPTED, call, () => undefined);
          Promise.resolve(run.invoke()).then(
            (value) => pending.answer(value),
            (error: unknown) => pending.reject(error),
          );
        },
    ),
};

const losesOnStop: Mutant = {
  name: 'loses-on-stop',
  fault: 'forgets the messages that wait behind one that says stop',
  breaks: ['outOfOrder', 'stuck'],
  plant: (struck) =>
    replaceMethod(
      MessageTracker.prototype,
      'handled',
      (handled) =>
        function (this: MessageTracker, outcome, ...rest) {
          if (outcome instanceof Stop && this.fifo.length > 1) {
            struck();
            const head = this.fifo.shift()!;
            while (this.fifo.length > 0) this.fifo.shift();
            this.fifo.push(head);
          }
          handled.call(this, outcome, ...rest);
        },
    ),
};

const forgetsKeyInUse: Mutant = {
  name: 'forgets-key-in-use',
  fault: 'takes an idle key out of the map before its data updater has ended',
  breaks: ['overlapWithin', 'foreignState'],
  plant(struck) {
    const tables = new WeakMap<object, { delete(item: object): void }>();
    return together(
      replaceMethod(
        KeyTable.prototype as KeyTable<KeyedItem<never>>,
        'add',
        (add) =>
          function (this: KeyTable<KeyedItem<never>>, item) {
            tables.set(item, this);
            add.call(this, item);
          },
      ),
      replaceMethod(
        KeyQueue.prototype,
        'deactivate',
        (deactivate) =>
          function (this: KeyQueue, reason) {
            deactivate.call(this, reason);
            if (!this.running) return;
            struck();
            tables.get(this)!.delete(this);
          },
      ),
    );
  },
};

const laneDies: Mutant = {
  name: 'lane-dies',
  fault: 'lets a turn error, so that its lane dies in silence',
  breaks: ['stuck'],
  plant(struck) {
    let turns = 0;
    const { onUnhandledError } = config;
    config.onUnhandledError = () => undefined;
    const restore = replaceMethod(
      Lane.prototype,
      'run',
      (run) =>
        function (this: Lane, worker) {
          let left = false;
          run.call(this, {
            work() {
              worker.work();
              if (left || ++turns % 10 > 0) return;
              struck();
              throw new Error('the turn failed');
            },
            left() {
              left = true;
              worker.left();
            },
          });
        },
    );
    return together(restore, () => void (config.onUnhandledError = onUnhandledError));
  },
};

const handlesBesideParked: Mutant = {
  name: 'handles-beside-parked',
  fault: 'handles a new delivery of a parked key instead of appending it',
  breaks: ['outOfOrder'],
  plant: (struck) =>
    replaceMethod(
      MessageTracker.prototype,
      'deliver',
      (deliver) =>
        function (this: MessageTracker, delivery, handledBefore) {
          if (!this.isParked) {
            deliver.call(this, delivery, handledBefore);
            return;
          }
          struck();
          this.fifo.push(new DeliveredMessage(this.epoch.environment.clock.now(), delivery, false, false));
        },
    ),
};

const settlesForLostEpoch: Mutant = {
  name: 'settles-for-lost-epoch',
  fault: 'settles by the outcome of an attempt whose epoch was lost',
  breaks: ['settledInLostEpoch'],
  plant: (struck) =>
    replaceMethod(
      MessageTracker.prototype,
      'endedLate',
      (endedLate) =>
        function (this: MessageTracker, outcome, error) {
          const handled = endedLate.call(this, outcome, error);
          if (handled !== undefined) {
            struck();
            this.epoch.session.settle(handled);
          }
          return handled;
        },
    ),
};

const retriesAtTail: Mutant = {
  name: 'retries-at-tail',
  fault: 'retries a failed message behind those that wait',
  breaks: ['outOfOrder'],
  plant: (struck) =>
    replaceMethod(
      MessageTracker.prototype,
      'fail',
      (fail) =>
        function (this: MessageTracker, error) {
          fail.call(this, error);
          const { fifo, phase, head } = this;
          if (phase !== 'backoff' || fifo.length < 2 || !(head instanceof DeliveredMessage)) return;
          struck();
          fifo.push(fifo.shift()!);
        },
    ),
};

const goesOnWithoutSlot: Mutant = {
  name: 'goes-on-without-slot',
  fault: 'lets an attempt go on after a wait without a slot, and gives one back all the same',
  breaks: ['kept'],
  plant: (struck) =>
    replaceMethod(
      AttemptSlots.prototype,
      'regain',
      () =>
        function (this: AttemptSlots, wanted) {
          if (wanted()) struck();
          return undefined;
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
  goesOnWithoutSlot,
];
