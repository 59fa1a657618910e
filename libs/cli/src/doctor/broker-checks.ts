import type {
  BrokerFacts,
  FoundQueues,
  MissingRight,
  QueueDifference,
  ShardQueues,
} from '@mississippi/rabbitmq/inspection';
import { firstOf } from '../output/amounts.js';
import { error, warning, type Finding } from './finding.js';

/** The oldest release that the library is tested with. */
const OLDEST: readonly [number, number] = [3, 10];
/** Channels of a process that owns all of 128 shards, twice over. */
const CHANNELS = 512;

export function checkBroker({ product, version, channelMax, heartbeat }: BrokerFacts): Finding[] {
  const findings: Finding[] = [];
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (product !== 'RabbitMQ') {
    findings.push(
      error(
        `the broker is ${product} ${version}, not RabbitMQ`,
        'ownership and order rest on how RabbitMQ behaves',
        'use RabbitMQ 3.10 or newer',
      ),
    );
  } else if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    findings.push(error(`RabbitMQ is ${version}`, 'the library is made for 3.10 and newer', 'upgrade the broker'));
  }
  if (channelMax > 0 && channelMax < CHANNELS) {
    findings.push(
      warning(
        `the broker allows ${channelMax} channels on a connection`,
        'a process needs two to three for each shard that it owns',
        'raise channel_max to 2047, its default',
      ),
    );
  }
  if (heartbeat === 0) {
    findings.push(
      warning(
        'there are no heartbeats',
        'a process that freezes, or a cable that is cut, keeps its shards for long',
        'set heartbeat in the broker to 10 to 60 seconds',
      ),
    );
  }
  return findings;
}

export function checkRights(missing: readonly MissingRight[]): Finding[] {
  return missing.map(({ right, message }) =>
    error(`this user lacks the right '${right}'`, WITHOUT[right], message.slice(message.lastIndexOf('grant '))),
  );
}

const WITHOUT: Readonly<Record<MissingRight['right'], string>> = {
  configure: 'dead letters cannot be listed or replayed by it, and an app with this user does not start',
  read: 'an app with this user consumes nothing',
  write: 'signals, actions on keys and publishing are refused',
};

export function checkQueues(
  { prefix, counted, totalCount }: FoundQueues,
  shards: readonly ShardQueues[],
  deadLetters: boolean,
): Finding[] {
  const findings: Finding[] = [];
  if (counted) {
    findings.push(
      warning(
        `the number of shards, ${totalCount}, was counted, since '${prefix}meta' does not tell it`,
        'the queue is missing, somebody else has declared it, or this user may not configure it',
        'where it is missing, restart a process of the app: it makes it again',
      ),
    );
  }
  const missing = (kind: 'messages' | 'signals'): number[] =>
    shards.filter((one) => one[kind] === undefined).map(({ shard }) => shard);
  const [messages, signals] = [missing('messages'), missing('signals')];
  if (messages.length > 0) {
    findings.push(
      error(
        `queues of shards are missing: ${firstOf(messages)}`,
        'what is published to their keys is returned',
        `restart a process of the app: it makes them again. Who deleted '${prefix}${messages[0]!}'?`,
      ),
    );
  }
  if (signals.length > 0) {
    findings.push(
      warning(
        `queues of signals are missing: ${firstOf(signals)}`,
        'their keys get no signals, and no operator reaches them',
        'restart a process of the app: it makes them again',
      ),
    );
  }
  if (!deadLetters) {
    findings.push(
      error(
        `'${prefix}dead_letters' is missing`,
        'what is given up waits, and its key with it',
        'restart a process of the app: it makes it again',
      ),
    );
  }
  return findings;
}

export function checkDifferences(differences: readonly QueueDifference[]): Finding[] {
  return differences.map(({ queue, message }) =>
    error(
      `the queue '${queue}' is not as the library makes it`,
      'an app does not start with it, or order and loss are not what they should be',
      message,
    ),
  );
}

/** A consumer that nobody knows is an Elixir peer, or a process of an earlier build. */
export function checkOwners(shards: readonly ShardQueues[], owned: ReadonlySet<number> | undefined): Finding[] {
  const without = shards.filter(({ messages }) => messages?.consumers === 0).map(({ shard }) => shard);
  const strange =
    owned === undefined
      ? []
      : shards
          .filter(({ shard, messages }) => (messages?.consumers ?? 0) > 0 && !owned.has(shard))
          .map(({ shard }) => shard);
  const findings: Finding[] = [];
  if (without.length > 0) {
    const waiting = shards
      .filter(({ shard }) => without.includes(shard))
      .reduce((sum, { messages }) => sum + (messages?.messages ?? 0), 0);
    const all = without.length === shards.length;
    findings.push(
      error(
        all ? 'no process consumes any shard' : `shards without an owner: ${firstOf(without)}`,
        `their keys wait; ${waiting} messages are in them`,
        all
          ? 'start the app; where it runs, its log says why it owns nothing'
          : 'it lasts a second while processes come and go; if it stays, the logs say which process could not take them: rights, maxShards, channel_max',
      ),
    );
  }
  if (strange.length > 0) {
    findings.push(
      warning(
        `somebody consumes shards who takes no part: ${firstOf(strange)}`,
        'the processes cannot share with it, and no operator reaches its keys',
        'it is an Elixir peer, a process of an earlier version, or one that has just died: see the consumers of the queue in the management page',
      ),
    );
  }
  return findings;
}
