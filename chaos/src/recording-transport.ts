import type { Transport } from '@mississippi/core';
import type {
  Delivery,
  ParkedReader,
  ShardConsumer,
  ShardReceiver,
  ShardSession,
  TransportConnection,
} from '@mississippi/core/transport';
import { refOfId } from './events.js';
import type { Recorder } from './recorder.js';

/** A transport whose epochs, deliveries and settlements are recorded. */
export function recorded(transport: Transport, recorder: Recorder): Transport {
  return {
    name: transport.name,
    async connect(context) {
      return recordedConnection(await transport.connect(context), recorder);
    },
  };
}

function recordedConnection(connection: TransportConnection, recorder: Recorder): TransportConnection {
  return {
    totalCount: connection.totalCount,
    durable: connection.durable,
    prefetch: connection.prefetch,
    ...(connection.deliveryTimeout === undefined ? {} : { deliveryTimeout: connection.deliveryTimeout }),
    publisher: connection.publisher,
    status: () => connection.status(),
    stopClaiming: () => connection.stopClaiming(),
    close: () => connection.close(),
    sendSignal: (shard, key, signal, timeout) => connection.sendSignal!(shard, key, signal, timeout),
    consume: (consumer: ShardConsumer) =>
      connection.consume({
        open(session) {
          const recording = new RecordingSession(session, recorder);
          const opening = consumer.open(recording);
          return opening instanceof Promise
            ? opening.then((receiver) => recording.receiver(receiver))
            : recording.receiver(opening);
        },
      }),
  };
}

/** One epoch, as the core sees it. */
class RecordingSession implements ShardSession {
  private readonly numbers = new WeakMap<Delivery, number>();
  private over = false;
  private epoch = 0;

  constructor(
    private readonly inner: ShardSession,
    private readonly recorder: Recorder,
  ) {}

  get shard(): number {
    return this.inner.shard;
  }
  get parked(): ShardSession['parked'] {
    return this.inner.parked;
  }

  receiver(inner: ShardReceiver): ShardReceiver {
    this.epoch = inner.epoch;
    // Nothing of the epoch can have started before the transport has the receiver.
    this.recorder.record({ type: 'owned', shard: this.shard, epoch: this.epoch });
    return {
      epoch: inner.epoch,
      deliver: (delivery) => {
        this.delivered(delivery, false);
        inner.deliver(delivery);
      },
      lost: (cause) => {
        this.ended('lost');
        inner.lost(cause);
      },
      signal: (key, signal, timeout, started) => inner.signal(key, signal, timeout, started),
      release: () => {
        this.recorder.record({ type: 'releasing', shard: this.shard, epoch: this.epoch });
        return inner.release();
      },
    };
  }

  verify(): Promise<void> {
    return this.inner.verify?.() ?? Promise.resolve();
  }

  giveUp(cause: Error): void {
    this.ended('lost');
    this.inner.giveUp(cause);
  }

  isCertain(): boolean {
    return this.inner.isCertain?.() ?? true;
  }

  settle(delivery: Delivery): void {
    // Before its effect, so that nobody can have seen more than was recorded.
    this.finished('settle', delivery);
    this.inner.settle(delivery);
  }

  async deadLetter(...[delivery, notes]: Parameters<ShardSession['deadLetter']>): Promise<void> {
    await this.inner.deadLetter(delivery, notes);
    this.finished('deadLetter', delivery);
  }

  async park(...[delivery, mode, notes]: Parameters<ShardSession['park']>): Promise<void> {
    await this.inner.park(delivery, mode, notes);
    this.finished('move', delivery);
  }

  readParked(key: Uint8Array): ParkedReader {
    const reader = this.inner.readParked(key);
    return {
      next: async () => {
        const delivery = await reader.next();
        if (!this.numbers.has(delivery)) this.delivered(delivery, true);
        return delivery;
      },
      close: () => reader.close(),
    };
  }

  close(): Promise<void> {
    this.ended('released');
    return this.inner.close();
  }

  private ended(type: 'lost' | 'released'): void {
    if (this.over) return;
    this.over = true;
    this.recorder.record({ type, shard: this.shard, epoch: this.epoch });
  }

  private delivered(delivery: Delivery, fromSide: boolean): void {
    const number = this.recorder.number();
    this.numbers.set(delivery, number);
    const { redelivered, messageId } = delivery;
    this.recorder.record({ type: 'deliver', ...this.place(messageId, number), redelivered, fromSide });
  }

  private finished(type: 'settle' | 'move' | 'deadLetter', delivery: Delivery): void {
    this.recorder.record({ type, ...this.place(delivery.messageId, this.numbers.get(delivery) ?? 0) });
  }

  private place(id: string | undefined, delivery: number) {
    return { ...refOfId(id), shard: this.shard, epoch: this.epoch, delivery };
  }
}
