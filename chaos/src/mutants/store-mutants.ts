import { replaceMethod, together, type Mutant as Planted } from '@mississippi/history';
import type { Delivery } from '@mississippi/core/transport';
// The very modules that the workers run: a package's classes are not among its exports.
import { MessageTracker } from '../../../libs/core/dist/engine/messages/message-tracker.js';
import { DeliveredMessage } from '../../../libs/core/dist/engine/messages/tracked-message.js';
import { PostgresConnection } from '../../../libs/postgres/dist/postgres-connection.js';
import { RabbitShardSession } from '../../../libs/rabbitmq/dist/sessions/shard-session.js';
import type { StorePromised } from '../store/audit.js';
import type { Action } from '../schedule.js';

/** A fault of what keeps the state, planted in the workers. */
export interface StoreMutant extends Planted {
  /** The promises of which at least one must be seen broken. */
  readonly breaks: readonly StorePromised[];
  /** What brings it to light. */
  readonly actions: readonly Action[];
}

const unfenced: StoreMutant = {
  name: 'unfenced',
  fault: 'writes the states of a shard that it has lost',
  breaks: ['state', 'passedOn', 'repeated'],
  actions: ['stop', 'stopAt'],
  plant: (struck) =>
    replaceMethod(
      PostgresConnection.prototype,
      'commit',
      (commit) =>
        async function (this: PostgresConnection, commits) {
          const verdicts = await commit.call(this, commits);
          for (const [index, given] of commits.entries()) {
            if (verdicts[index] === 'committed') continue;
            const { epoch, token: previous } = await this.openShard(given.shard);
            // The inbox would tell.
            await commit.call(this, [{ ...given, epoch, number: 1, previous, handled: [], outbox: [] }]);
            struck();
          }
          return verdicts;
        },
    ),
};

const acksBeforeCommit: StoreMutant = {
  name: 'acks-before-commit',
  fault: 'acks a message before it is committed',
  breaks: ['state', 'passedOn', 'deadLetters'],
  actions: ['kill', 'dieAt', 'storeRestart', 'storeFreeze'],
  plant(struck) {
    const early = new WeakSet<Delivery>();
    return together(
      replaceMethod(
        MessageTracker.prototype,
        'handled',
        (handled) =>
          function (this: MessageTracker, ...args) {
            const { head } = this;
            if (head instanceof DeliveredMessage && !head.fromSideQueue && args[1] > 0) {
              this.epoch.session.settle(head.delivery);
              early.add(head.delivery);
              struck();
            }
            handled.apply(this, args);
          },
      ),
      replaceMethod(
        RabbitShardSession.prototype,
        'settle',
        (settle) =>
          function (this: RabbitShardSession, delivery) {
            if (!early.has(delivery)) settle.call(this, delivery);
          },
      ),
    );
  },
};

const sendsBeforeCommit: StoreMutant = {
  name: 'sends-before-commit',
  fault: 'sends what a callback publishes before it is committed',
  breaks: ['repeated', 'passedOn'],
  actions: ['kill', 'dieAt', 'storeRestart', 'storeFreeze', 'sicken'],
  plant: (struck) =>
    replaceMethod(
      MessageTracker.prototype,
      'handled',
      (handled) =>
        function (this: MessageTracker, outcome, attempts, changes) {
          if (changes !== undefined && changes.outbox.length > 0) {
            struck();
            const { outbox, commits } = this.epoch.durable!;
            outbox.committed({ number: commits.number + 1, firstRow: 0 }, changes.outbox);
          }
          handled.call(this, outcome, attempts, changes);
        },
    ),
};

export const STORE_MUTANTS: readonly StoreMutant[] = [unfenced, acksBeforeCommit, sendsBeforeCommit];
