import type { Auditor } from '../auditor.js';
import type { Order } from '../../../src/coordination/reports.js';
import type { Connection, Network } from './connection.js';
import type { Consumer } from './consumer.js';
import { CoordinatorQueue, InUseError } from './coordinator-queue.js';
import { Operations } from './operations.js';

export interface BrokerSettings {
  /** How many shards there are. */
  readonly shards: number;
  /** Whether those who want to coordinate wait in line, as with quorum queues, instead of being refused. */
  readonly quorum: boolean;
  /** A broker that refuses no second consumer, for mutants. */
  readonly isLenient: boolean;
}

/** Where answers reach a process. */
export interface Mailbox {
  readonly connection: Connection;
  readonly deliver: (order: Order) => void;
}

/** RabbitMQ as ownership knows it: exclusive consumers, the queue of reports, the count of members, and addresses. */
export class Broker {
  readonly operations = new Operations();
  readonly coordination: CoordinatorQueue;
  readonly members = new Set<Connection>();
  readonly mailboxes = new Map<string, Mailbox>();
  readonly consumers: (Consumer | undefined)[];
  /** Those that publish: they are blocked in an alarm. */
  readonly publishing = new Set<Connection>();
  private alarm = false;

  constructor(
    network: Network,
    private readonly settings: BrokerSettings,
    private readonly auditor: Auditor,
  ) {
    this.coordination = new CoordinatorQueue(network.clock, settings.quorum);
    this.consumers = Array.from({ length: settings.shards });
  }

  get isAlarmed(): boolean {
    return this.alarm;
  }

  /** @throws {InUseError} when somebody else has the shard */
  consume(shard: number, consumer: Consumer): void {
    if (this.consumers[shard] !== undefined && !this.settings.isLenient) {
      this.auditor.refused();
      throw new InUseError();
    }
    this.consumers[shard] = consumer;
    this.auditor.consumes(shard, consumer);
  }

  release(shard: number, consumer: Consumer): void {
    if (this.consumers[shard] === consumer) this.consumers[shard] = undefined;
    this.auditor.consumesNoMore(shard, consumer);
  }

  /** A connection has ended. */
  ended(connection: Connection): void {
    this.members.delete(connection);
    this.mailboxes.delete(connection.id);
    this.publishing.delete(connection);
    this.consumers.forEach((consumer, shard) => {
      if (consumer === connection) this.release(shard, connection);
    });
    this.coordination.gone(({ channel }) => channel.connection === connection);
  }

  /** A connection that publishes is there. */
  publishes(connection: Connection): void {
    this.publishing.add(connection);
    if (this.alarm) connection.block();
  }

  setAlarm(alarm: boolean): void {
    this.alarm = alarm;
    for (const connection of this.publishing) {
      if (alarm) connection.block();
      else connection.unblock();
    }
  }
}
