import { replaceMethod } from '@mississippi/history';
// The very modules that the workers and publishers run.
import { Recovery } from '../../../libs/core/dist/engine/messages/recovery.js';
import { RabbitPublisher } from '../../../libs/rabbitmq/dist/publishing/rabbit-publisher.js';
import { RabbitShardSession } from '../../../libs/rabbitmq/dist/sessions/shard-session.js';
import { SignalResponder } from '../../../libs/rabbitmq/dist/signals/signal-responder.js';
import { Topology } from '../../../libs/rabbitmq/dist/topology/topology.js';
import type { Mutant } from './mutant.js';

/** A process has declared everything by then. Milliseconds. */
const STARTED = 3_000;

const impatientPublisher: Mutant = {
  name: 'impatient-publisher',
  fault: 'gives up what the broker has not confirmed within a second',
  breaks: ['refused'],
  actions: ['alarm'],
  where: ['publishers'],
  plant: (struck) =>
    replaceMethod(
      RabbitPublisher.prototype,
      'submit',
      (submit) =>
        function (this: RabbitPublisher, message) {
          const submitted = submit.call(this, message, 1_000);
          submitted.catch(() => struck());
          return submitted;
        },
    ),
};

const declaredOnce: Mutant = {
  name: 'declared-once',
  fault: 'declares what it needs when it starts, and never again',
  breaks: ['missing', 'stuck'],
  actions: ['wipe'],
  where: ['workers', 'publishers'],
  plant(struck) {
    const begun = performance.now();
    return replaceMethod(
      Topology.prototype,
      'declareShard',
      (declareShard) =>
        function (this: Topology, channel, index) {
          if (performance.now() - begun < STARTED) return declareShard.call(this, channel, index);
          struck();
          return Promise.resolve({ queue: this.names.shard(index), messageCount: 0, consumerCount: 0 });
        },
    );
  },
};

const cancelIgnored: Mutant = {
  name: 'cancel-ignored',
  fault: 'does not mind that its queue of signals was deleted',
  breaks: ['missing'],
  actions: ['deleteQueue'],
  plant: (struck) =>
    replaceMethod(
      SignalResponder.prototype,
      'serve',
      (serve) =>
        function (this: SignalResponder, channel, shard, owner, _cancelled) {
          return serve.call(this, channel, shard, owner, struck);
        },
    ),
};

const refusedMoveIgnored: Mutant = {
  name: 'refused-move-ignored',
  fault: 'takes a message for moved to the side queue that the queue has refused',
  breaks: ['lost', 'outOfOrder', 'stuck', 'settledUnhandled'],
  actions: ['badQueue', 'park', 'sicken'],
  plant: (struck) =>
    replaceMethod(
      RabbitShardSession.prototype,
      'park',
      (park) =>
        async function (this: RabbitShardSession, delivery, mode, notes) {
          const fail = this.fail.bind(this);
          let refused = false;
          this.fail = (cause) => {
            refused = /refuses messages/.test(cause.message);
            if (!refused) fail(cause);
          };
          try {
            await park.call(this, delivery, mode, notes);
          } catch (error) {
            if (!refused) throw error;
            struck();
            this.settle(delivery);
          }
        },
    ),
};

const slowKeyStays: Mutant = {
  name: 'slow-key-stays',
  fault: 'leaves what waits behind slow messages with the shard, however long',
  breaks: ['tookBack'],
  actions: ['slow'],
  options: { consumerTimeout: 6_000, prefetch: 40 },
  plant: (struck) => replaceMethod(Recovery.prototype, 'relievePressure', () => struck),
};

/** What is wrong where something is wrong with the broker. */
export const BROKER_MUTANTS: readonly Mutant[] = [
  impatientPublisher,
  declaredOnce,
  cancelIgnored,
  refusedMoveIgnored,
  slowKeyStays,
];
