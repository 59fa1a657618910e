import { replaceGetter, replaceMethod, together } from '@mississippi/history';
// The very modules that the workers run: a package's classes are not among its exports.
import { MessageTracker } from '../../../libs/core/dist/engine/messages/message-tracker.js';
import { ImmediateSettlement } from '../../../libs/core/dist/engine/messages/settlement.js';
import { DeliveredMessage, type TrackedMessage } from '../../../libs/core/dist/engine/messages/tracked-message.js';
import { Callbacks } from '../../../libs/core/dist/engine/updaters/callbacks.js';
import { BrokerConnection } from '../../../libs/rabbitmq/dist/connection/broker-connection.js';
import { ShardClaimer } from '../../../libs/rabbitmq/dist/ownership/shard-claimer.js';
import { ShardClaims } from '../../../libs/rabbitmq/dist/ownership/shard-claims.js';
import { RabbitShardSession } from '../../../libs/rabbitmq/dist/sessions/shard-session.js';
import { SideReader } from '../../../libs/rabbitmq/dist/sessions/side-reader.js';
import { StallFence } from '../../../libs/rabbitmq/dist/sessions/stall-fence.js';
import { ack } from '@mississippi/core';
import type { Delivery } from '@mississippi/core/transport';
import type { Channel } from 'amqplib';
import type { Mutant } from './mutant.js';

const ackBeforeHandling: Mutant = {
  name: 'ack-before-handling',
  fault: 'acks a message when its attempt starts',
  breaks: ['settledUnhandled', 'lost'],
  actions: ['kill'],
  plant(struck) {
    const early = new WeakSet<TrackedMessage>();
    return together(
      replaceMethod(
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
      ),
      replaceMethod(
        ImmediateSettlement.prototype,
        'handled',
        (handled) =>
          function (this: ImmediateSettlement, key, message, outcome) {
            if (message instanceof DeliveredMessage && early.has(message)) key.settled(message);
            else handled.call(this, key, message, outcome);
          },
      ),
    );
  },
};

const unawaitedHandler: Mutant = {
  name: 'unawaited-handler',
  fault: 'takes the handler for done when it has returned its promise',
  breaks: ['overlapWithin', 'settledUnhandled'],
  actions: ['kill'],
  plant: (struck) =>
    replaceMethod(
      Callbacks.prototype,
      'run',
      (start) =>
        function (this: Callbacks, run) {
          if (run.name === 'handleMessage') {
            const invoke = run.invoke.bind(run);
            run.invoke = () => {
              const result = invoke();
              if (!(result instanceof Promise)) return result;
              struck();
              result.catch(() => undefined);
              return ack();
            };
          }
          start.call(this, run);
        },
    ),
};

const ackOnNewChannel: Mutant = {
  name: 'ack-on-new-channel',
  fault: 'settles the outcome of a lost epoch on the channel of the next',
  breaks: ['settledInLostEpoch', 'lost', 'outOfOrder'],
  actions: ['cutAll', 'cut'],
  plant(struck) {
    const late = new Map<number, Delivery[]>();
    return together(
      replaceMethod(
        RabbitShardSession.prototype,
        'settle',
        (settle) =>
          function (this: RabbitShardSession, delivery) {
            if (this.ended) late.set(this.shard, [...(late.get(this.shard) ?? []), delivery]);
            else settle.call(this, delivery);
          },
      ),
      replaceMethod(
        RabbitShardSession.prototype,
        'begin',
        (begin) =>
          function (this: RabbitShardSession, receiver) {
            const goesOn = begin.call(this, receiver);
            for (const delivery of late.get(this.shard) ?? []) {
              struck();
              this.settle(delivery);
            }
            late.delete(this.shard);
            return goesOn;
          },
      ),
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
    );
  },
};

const cancelThenDrain: Mutant = {
  name: 'cancel-then-drain',
  fault: 'hands a shard over by cancelling its consumer and saying so first, and draining then',
  breaks: ['overlapAcross', 'outOfOrder', 'startedInLostEpoch', 'twoOwners'],
  actions: ['join', 'leave'],
  plant(struck) {
    const channels = new WeakMap<RabbitShardSession, Channel>();
    const consumers = new WeakMap<RabbitShardSession, string>();
    // Nobody is told to claim a shard of which its owner still says that he has it.
    const drained = new Set<number>();
    return together(
      replaceGetter(ShardClaims.prototype, 'owned', (owned) => owned.filter((shard) => !drained.has(shard))),
      replaceMethod(
        ShardClaimer.prototype,
        'claim',
        (claim) =>
          async function (this: ShardClaimer, model, shard) {
            drained.delete(shard);
            const claimed = await claim.call(this, model, shard);
            if (claimed !== undefined) channels.set(claimed.session, claimed.channel);
            return claimed;
          },
      ),
      replaceMethod(
        RabbitShardSession.prototype,
        'arrived',
        (arrived) =>
          function (this: RabbitShardSession, message) {
            consumers.set(this, message.fields.consumerTag);
            arrived.call(this, message);
          },
      ),
      replaceMethod(
        RabbitShardSession.prototype,
        'begin',
        (begin) =>
          function (this: RabbitShardSession, receiver) {
            const release = async (): Promise<void> => {
              const consumer = consumers.get(this);
              drained.add(this.shard);
              if (consumer !== undefined) {
                struck();
                await channels.get(this)!.cancel(consumer);
              }
              await receiver.release();
            };
            const { epoch } = receiver;
            return begin.call(this, {
              epoch,
              release,
              deliver: (delivery) => receiver.deliver(delivery),
              lost: (cause) => receiver.lost(cause),
              signal: (...signal) => receiver.signal(...signal),
            });
          },
      ),
    );
  },
};

const skipAfterRetry: Mutant = {
  name: 'skip-after-retry',
  fault: 'goes on with the next message when a retry fails',
  breaks: ['outOfOrder', 'lost', 'stuck'],
  actions: ['sicken'],
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

const noStallFence: Mutant = {
  name: 'no-stall-fence',
  fault: 'starts messages after a standstill without asking the broker',
  breaks: ['startedInLostEpoch', 'overlapAcross'],
  actions: ['stop'],
  plant: (struck) =>
    replaceMethod(
      StallFence.prototype,
      'isCertain',
      (isCertain) =>
        function (this: StallFence) {
          if (!isCertain.call(this)) struck();
          return true;
        },
    ),
};

/** The shortest silence of the broker that a fence should mind: a heartbeat of the mutants' runs. Milliseconds. */
const SILENT = 1_000;

/**
 * The client's own check, where it lives: it and the broker's begin at the same moment, so that mostly it ends the epoch just before
 * somebody else gets the shards.
 */
interface Heartbeating {
  readonly connection: { readonly heartbeater?: { readonly recvTimer: NodeJS.Timeout } };
}

const deafFence: Mutant = {
  name: 'deaf-fence',
  fault: 'does not mind that nothing is heard of the broker, neither before a message starts nor later',
  breaks: ['startedInLostEpoch', 'overlapAcross'],
  actions: ['freeze'],
  // Something must be left to start when the broker gives the shards away, and somebody there who gets them.
  options: { minutes: 0.6, processes: 4, keys: 20, rate: 520, prefetch: 300, seed: 3, shortest: 700, longest: 2_000 },
  plant: (struck) =>
    together(
      replaceGetter(BrokerConnection.prototype, 'silence', (silence) => {
        if (silence > SILENT) struck();
        return 0;
      }),
      replaceMethod(
        ShardClaimer.prototype,
        'claim',
        (claim) =>
          function (this: ShardClaimer, model, shard) {
            clearInterval((model as unknown as Heartbeating).connection.heartbeater?.recvTimer);
            return claim.call(this, model, shard);
          },
      ),
    ),
};

const sideQueueUnread: Mutant = {
  name: 'side-queue-unread',
  fault: 'begins an epoch without reading what was set aside',
  breaks: ['outOfOrder', 'stuck', 'lost'],
  actions: ['sicken', 'kill'],
  plant: (struck) =>
    replaceMethod(
      SideReader.prototype,
      'index',
      () =>
        async function (this: SideReader, count) {
          if (count > 0) struck();
          return [];
        },
    ),
};

/** What is wrong with messages, and with who owns their shard. */
export const ORDER_MUTANTS: readonly Mutant[] = [
  ackBeforeHandling,
  unawaitedHandler,
  ackOnNewChannel,
  cancelThenDrain,
  skipAfterRetry,
  noStallFence,
  deafFence,
  sideQueueUnread,
];
