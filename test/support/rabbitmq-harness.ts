import { randomBytes } from 'node:crypto';
import { systemClock } from '@mississippi/core';
import { inspectKey, type TransportConnection } from '@mississippi/core/transport';
import { rabbitmq } from '@mississippi/rabbitmq';
import type { DeadLetter, OpenOptions, RawMessage, TransportHarness } from '@mississippi/testing/transport';
import type { Channel } from 'amqplib';
import { onRawBroker, published, taken } from './raw-broker.js';
import type { BrokerNode } from './rabbitmq-node.js';
import { TcpProxy } from './tcp-proxy.js';

const logger = { log: () => undefined, warn: () => undefined, error: () => undefined };

/** RabbitMQ, prepared for the conformance suite. It raises alarms, so it wants a node of its own. */
export class RabbitMqHarness implements TransportHarness {
  readonly within = 15_000;
  readonly durable = true;
  readonly unsupported = [];
  private prefix = '';
  private blocked = false;
  private readonly endings: Promise<void>[] = [];
  private readonly proxies = new Map<TransportConnection, TcpProxy>();

  constructor(
    private readonly node: BrokerNode,
    private readonly type: 'classic' | 'quorum',
  ) {}

  async reset(): Promise<void> {
    await this.unblock();
    await Promise.all(this.endings.splice(0));
    for (const proxy of this.proxies.values()) await proxy.close();
    this.proxies.clear();
    this.prefix = `conformance-${randomBytes(4).toString('hex')}-`;
  }

  /** Each connection has a proxy of its own, with which it can be cut off. */
  async open({ totalCount, prefetch }: OpenOptions): Promise<TransportConnection> {
    const proxy = await TcpProxy.start(this.node.url);
    const transport = rabbitmq({
      urls: [proxy.url],
      prefetch,
      queues: { prefix: this.prefix, totalCount, type: this.type },
      reconnect: { initial: 10, max: 100 },
      claimInterval: 20,
    });
    const connection = await transport.connect({
      instance: 'conformance',
      logger,
      clock: systemClock,
      keyText: inspectKey,
    });
    this.proxies.set(connection, proxy);
    return connection;
  }

  /** Resets the sockets; what was in the client goes nowhere, and nobody listens where it would connect again. */
  async crash(connection: TransportConnection): Promise<void> {
    await this.proxies.get(connection)!.close();
    this.proxies.delete(connection);
    // It stops trying at once, and needs a while until it no longer hopes for an answer.
    this.endings.push(connection.close());
  }

  /** The broker closes a channel on which somebody acks what was never delivered (406). */
  async loseShard(connection: TransportConnection, shard: number): Promise<void> {
    channelOf(connection, shard).ack(NEVER_DELIVERED);
  }

  async block(): Promise<void> {
    this.blocked = true;
    this.node.ctl('set_vm_memory_high_watermark', 'absolute', '1');
  }

  async unblock(): Promise<void> {
    if (!this.blocked) return;
    this.blocked = false;
    this.node.ctl('set_vm_memory_high_watermark', '0.6');
  }

  async deadLetters(): Promise<readonly DeadLetter[]> {
    return onRawBroker(this.node.url, (channel) => taken(channel, `${this.prefix}dead_letters`));
  }

  async injectRaw(shard: number, message: RawMessage): Promise<void> {
    await onRawBroker(this.node.url, (channel) => published(channel, `${this.prefix}${shard}`, message));
  }
}

const NEVER_DELIVERED = { fields: { deliveryTag: 1_000_000_000 } } as Parameters<Channel['ack']>[0];

/** The transport keeps its channels to itself, as it should; a broker that closes one cannot be asked from outside. */
function channelOf(connection: TransportConnection, shard: number): Channel {
  const { claims } = connection as unknown as {
    claims: { shards: { sessions: ReadonlyMap<number, { parts: { channel: Channel } }> } };
  };
  return claims.shards.sessions.get(shard)!.parts.channel;
}
