import { memory, type MemoryBroker, type MemoryTransport } from '../../src/index.js';
import type { ShardConsumer, ShardReceiver, TransportConnection } from '../../src/transport/index.js';

/** Embedded transports on one broker whose signals cross, as those between processes do. */
export class LinkedTransports {
  private readonly receivers = new Map<number, ShardReceiver>();
  private readonly owners = new Map<number, string>();

  constructor(readonly broker: MemoryBroker) {}

  /** @param name of the process that has it */
  open(name: string, prefetch = 300): MemoryTransport {
    const transport = memory({ broker: this.broker, prefetch });
    const connect = transport.connect.bind(transport);
    transport.connect = async (context) => this.link(name, await connect(context));
    return transport;
  }

  private link(name: string, connection: TransportConnection): TransportConnection {
    const consume = connection.consume.bind(connection);
    return Object.assign(connection, {
      consume: (consumer: ShardConsumer) => consume(this.recorded(name, consumer)),
      sendSignal: (...[shard, key, signal, timeout]: Parameters<NonNullable<TransportConnection['sendSignal']>>) =>
        this.receivers.get(shard)!.signal(key, signal, timeout, () => undefined),
      processes: async () => [...new Set(this.owners.values())].map((owner) => this.processOf(owner, name)),
    });
  }

  private recorded(name: string, consumer: ShardConsumer): ShardConsumer {
    return {
      pauseTypes: (types) => consumer.pauseTypes?.(types),
      open: (session) => {
        const opened = (receiver: ShardReceiver): ShardReceiver => {
          this.receivers.set(session.shard, receiver);
          this.owners.set(session.shard, name);
          return receiver;
        };
        const receiver = consumer.open(session);
        // With a store it is opened there first.
        return receiver instanceof Promise ? receiver.then(opened) : opened(receiver);
      },
    };
  }

  private processOf(owner: string, asking: string) {
    const shards = [...this.owners].filter(([, name]) => name === owner).map(([shard]) => shard);
    return { name: owner, shards, self: owner === asking, intake: 'open' as const };
  }
}
