// The very modules that the workers run: a package's classes are not among its exports.
import { DeliveredMessage, type TrackedMessage } from '../../libs/core/dist/engine/tracked-message.js';
import type { Fifo } from '../../libs/core/dist/engine/fifo.js';
import type { CallbackRun } from '../../libs/core/dist/engine/callback-run.js';
import { Callbacks } from '../../libs/core/dist/engine/callbacks.js';
import { MessageTracker } from '../../libs/core/dist/engine/message-tracker.js';
import type { Shard } from '../../libs/core/dist/engine/shard.js';
import { BrokerConnection } from '../../libs/rabbitmq/dist/connection/broker-connection.js';
import { OwnedShards } from '../../libs/rabbitmq/dist/ownership/owned-shards.js';
import { RabbitShardSession } from '../../libs/rabbitmq/dist/sessions/shard-session.js';
import { SideReader } from '../../libs/rabbitmq/dist/sessions/side-reader.js';
import { StallFence } from '../../libs/rabbitmq/dist/sessions/stall-fence.js';
import { ack } from '@mississippi/core';
import type { Delivery } from '@mississippi/core/transport';
import type { Channel } from 'amqplib';
import type { Promised } from './checker.js';
import { callMethod, replaceMethod } from './replace-method.js';
import type { RunOptions } from './run.js';
import type { Action } from './schedule.js';

/** A fault that somebody might put into the library. */
export interface Mutant {
  readonly name: string;
  /** What it does wrong. */
  readonly fault: string;
  /** The promises of which at least one must be seen broken. */
  readonly breaks: readonly Promised[];
  /** What brings it to light. */
  readonly actions: readonly Action[];
  /** What it needs besides. */
  readonly options?: Partial<Pick<RunOptions, 'minutes' | 'keys' | 'rate' | 'prefetch'>>;
  plant(): void;
}

const fifoOf = (tracker: object): Fifo<TrackedMessage> => Reflect.get(tracker, 'fifo') as Fifo<TrackedMessage>;
const shardOf = (tracker: object): Shard => Reflect.get(tracker, 'shard') as Shard;

const ackBeforeHandling: Mutant = {
  name: 'ack-before-handling',
  fault: 'acks a message when its flight starts',
  breaks: ['settledUnhandled', 'lost'],
  actions: ['kill'],
  plant() {
    const early = new WeakSet<TrackedMessage>();
    replaceMethod(
      MessageTracker.prototype,
      'takeOff',
      (takeOff) =>
        function () {
          const head = takeOff.call(this) as TrackedMessage;
          if (head instanceof DeliveredMessage && !early.has(head)) {
            early.add(head);
            shardOf(this).session.settle(head.delivery);
          }
          return head;
        },
    );
    replaceMethod(
      MessageTracker.prototype,
      'settle',
      (settle) =>
        function (outcome) {
          const head = fifoOf(this).peek()!;
          if (early.has(head)) callMethod(this, 'advance', head);
          else settle.call(this, outcome);
        },
    );
  },
};

const unawaitedHandler: Mutant = {
  name: 'unawaited-handler',
  fault: 'takes the handler for done when it has returned its promise',
  breaks: ['overlapWithin', 'settledUnhandled'],
  actions: ['kill'],
  plant: () =>
    replaceMethod(
      Callbacks.prototype,
      'run',
      (original) =>
        function (run, invoke, then) {
          if ((run as CallbackRun).name !== 'handleMessage') return original.call(this, run, invoke, then);
          const unawaited = (callback: unknown): unknown => {
            const result = (invoke as (callback: unknown) => unknown)(callback);
            if (!(result instanceof Promise)) return result;
            result.catch(() => undefined);
            return ack();
          };
          return original.call(this, run, unawaited, then);
        },
    ),
};

const ackOnNewChannel: Mutant = {
  name: 'ack-on-new-channel',
  fault: 'settles the outcome of a lost epoch on the channel of the next',
  breaks: ['settledInLostEpoch', 'lost', 'outOfOrder'],
  actions: ['cutAll', 'cut'],
  plant() {
    const late = new Map<number, unknown[]>();
    replaceMethod(
      RabbitShardSession.prototype,
      'settle',
      (settle) =>
        function (delivery) {
          const { shard } = this as RabbitShardSession;
          if (Reflect.get(this, 'ended') === true) late.set(shard, [...(late.get(shard) ?? []), delivery]);
          else settle.call(this, delivery);
        },
    );
    replaceMethod(
      RabbitShardSession.prototype,
      'begin',
      (begin) =>
        function (receiver) {
          const goesOn: unknown = begin.call(this, receiver);
          const { shard } = this as RabbitShardSession;
          for (const delivery of late.get(shard) ?? []) callMethod(this, 'settle', delivery);
          late.delete(shard);
          return goesOn;
        },
    );
    replaceMethod(
      MessageTracker.prototype,
      'landedLate',
      (landedLate) =>
        function (outcome, error) {
          const handled = landedLate.call(this, outcome, error) as Delivery | undefined;
          if (handled !== undefined) shardOf(this).session.settle(handled);
          return handled;
        },
    );
  },
};

const cancelThenDrain: Mutant = {
  name: 'cancel-then-drain',
  fault: 'hands a shard over by cancelling its consumer first and draining then',
  breaks: ['overlapAcross', 'outOfOrder', 'startedInLostEpoch'],
  actions: ['join', 'leave'],
  plant: () =>
    replaceMethod(
      OwnedShards.prototype,
      'handOver',
      (handOver) =>
        async function (session) {
          const parts = Reflect.get(session as object, 'parts') as { channel: Channel };
          const consumers = Reflect.get(parts.channel, 'consumers') as Map<string, unknown>;
          for (const tag of consumers.keys()) await parts.channel.cancel(tag);
          await handOver.call(this, session);
        },
    ),
};

const skipAfterRetry: Mutant = {
  name: 'skip-after-retry',
  fault: 'goes on with the next message when a retry fails',
  breaks: ['outOfOrder', 'lost', 'stuck'],
  actions: ['sicken'],
  plant: () =>
    replaceMethod(
      MessageTracker.prototype,
      'fail',
      (fail) =>
        function (error) {
          if ((Reflect.get(this, 'attempt') as number) >= 2) callMethod(this, 'advance', fifoOf(this).peek());
          else fail.call(this, error);
        },
    ),
};

const noStallFence: Mutant = {
  name: 'no-stall-fence',
  fault: 'starts messages after a standstill without asking the broker',
  breaks: ['startedInLostEpoch', 'overlapAcross'],
  actions: ['stop'],
  plant: () => replaceMethod(StallFence.prototype, 'isCertain', () => () => true),
};

const deafFence: Mutant = {
  name: 'deaf-fence',
  fault: 'does not mind that nothing is heard of the broker',
  breaks: ['startedInLostEpoch', 'overlapAcross'],
  actions: ['freeze'],
  // Something must be left to start when the broker gives the shards away.
  options: { minutes: 0.6, keys: 12, rate: 420, prefetch: 300 },
  plant() {
    Object.defineProperty(BrokerConnection.prototype, 'silence', { get: () => 0 });
  },
};

const sideQueueUnread: Mutant = {
  name: 'side-queue-unread',
  fault: 'begins an epoch without reading what was set aside',
  breaks: ['outOfOrder', 'stuck', 'lost'],
  actions: ['sicken', 'kill'],
  plant: () => replaceMethod(SideReader.prototype, 'index', () => () => Promise.resolve([])),
};

export const MUTANTS: readonly Mutant[] = [
  ackBeforeHandling,
  unawaitedHandler,
  ackOnNewChannel,
  cancelThenDrain,
  skipAfterRetry,
  noStallFence,
  deafFence,
  sideQueueUnread,
];

export function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((known) => known.name === name);
  if (mutant !== undefined) return mutant;
  throw new Error(`Unknown mutant '${name}': use ${MUTANTS.map(({ name }) => name).join(', ')}.`);
}
