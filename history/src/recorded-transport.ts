import { NOTE_HEADERS, PublishError, type MessageHeaders, type Transport } from '@mississippi/core';
import type {
  Delivery,
  ParkedMode,
  ParkedReader,
  Publisher,
  ShardConsumer,
  ShardReceiver,
  ShardSession,
  TransportConnection,
} from '@mississippi/core/transport';
import { isReplay, type Delivered, type EpochRef } from './events.js';
import type { Recorder } from './recorder.js';

/**
 * A transport whose epochs, deliveries and settlements are recorded, and which replays it publishes. It stands between the transport and the
 * core.
 */
export function recordedTransport(transport: Transport, recorder: Recorder): Transport {
  return over(transport, {
    async connect(context) {
      const connection = await transport.connect(context);
      const consume = (consumer: ShardConsumer): Promise<void> =>
        connection.consume(over(consumer, { open: (session) => openRecorded(consumer, session, recorder) }));
      const publisher = recorder.marksReplays ? { publisher: recordedPublisher(connection, recorder) } : {};
      return over<TransportConnection>(connection, { consume, ...publisher });
    },
  });
}

/** What is published is recorded by whoever publishes it; only replays are published by the library. */
function recordedPublisher({ publisher }: TransportConnection, recorder: Recorder): Publisher {
  return over(publisher, {
    async publish(message, ...how) {
      const ref = recorder.refOf(message.messageId, message.headers);
      if (!isReplay(ref)) return publisher.publish(message, ...how);
      recorder.record({ type: 'published', ...ref });
      try {
        await publisher.publish(message, ...how);
        recorder.record({ type: 'confirmed', ...ref });
      } catch (error) {
        if (error instanceof PublishError) recorder.record({ type: 'refused', ...ref });
        throw error;
      }
    },
  });
}

function openRecorded(
  consumer: ShardConsumer,
  session: ShardSession,
  recorder: Recorder,
): ShardReceiver | Promise<ShardReceiver> {
  const epoch = new EpochRecorder(session, recorder);
  const opening = consumer.open(epoch.session());
  return opening instanceof Promise ? opening.then((receiver) => epoch.receiver(receiver)) : epoch.receiver(opening);
}

/** The same object, but for some methods: what an interface gains later passes through. */
function over<T extends object>(inner: T, methods: Partial<T>): T {
  return new Proxy(inner, {
    get(_target, name) {
      const own: unknown = Reflect.get(methods, name);
      const value: unknown = own ?? Reflect.get(inner, name);
      return own === undefined && typeof value === 'function' ? (value.bind(inner) as unknown) : value;
    },
  });
}

/** Records one epoch. */
class EpochRecorder {
  private readonly numbers = new WeakMap<Delivery, number>();
  private epoch = 0;
  private over = false;
  private suspended = false;

  constructor(
    private readonly inner: ShardSession,
    private readonly recorder: Recorder,
  ) {}

  receiver(inner: ShardReceiver): ShardReceiver {
    this.epoch = inner.epoch;
    // Nothing of the epoch can have started before the transport has the receiver.
    this.tell('owned');
    return over(inner, {
      deliver: (delivery) => {
        this.delivered(delivery, false);
        inner.deliver(delivery);
      },
      lost: (cause) => {
        this.ended('lost');
        inner.lost(cause);
      },
      release: async () => {
        this.tell('releasing');
        await inner.release();
        // The transport closes the session now.
        this.ended('released');
      },
    });
  }

  session(): ShardSession {
    const { inner } = this;
    return over(inner, {
      settle: (delivery) => {
        // Before its effect, so that nobody can have seen more than was recorded.
        this.recorder.record({ type: 'settled', ...this.refOf(delivery) });
        inner.settle(delivery);
      },
      deadLetter: (delivery, notes) => this.deadLetter(delivery, notes),
      park: (delivery, mode, notes) => this.park(delivery, mode, notes),
      readParked: (key) => this.reader(inner.readParked(key)),
      isCertain: () => this.isCertain(),
      verify: async () => {
        await inner.verify?.();
        this.suspended = false;
        this.tell('assured');
      },
      giveUp: (cause) => {
        this.ended('lost');
        inner.giveUp(cause);
      },
      close: () => {
        this.ended('released');
        return inner.close();
      },
    });
  }

  private async deadLetter(delivery: Delivery, notes: MessageHeaders): Promise<void> {
    const reason = notes[NOTE_HEADERS.reason] as string;
    this.recorder.record({ type: 'deadLettering', ...this.refOf(delivery), reason });
    await this.inner.deadLetter(delivery, notes);
    this.recorder.record({ type: 'deadLettered', ...this.refOf(delivery) });
  }

  private async park(delivery: Delivery, mode: ParkedMode, notes: MessageHeaders): Promise<void> {
    this.recorder.record({ type: 'parking', ...this.refOf(delivery) });
    await this.inner.park(delivery, mode, notes);
    this.recorder.record({ type: 'parked', ...this.refOf(delivery) });
    // An embedded broker may bring the same object again, out of its side queue.
    this.numbers.delete(delivery);
  }

  private isCertain(): boolean {
    const certain = this.inner.isCertain?.() ?? true;
    if (!certain && !this.suspended) {
      this.suspended = true;
      this.tell('suspended');
    }
    return certain;
  }

  private reader(inner: ParkedReader): ParkedReader {
    return over(inner, {
      next: async () => {
        const delivery = await inner.next();
        // The same one again, until it is settled.
        if (!this.numbers.has(delivery)) this.delivered(delivery, true);
        return delivery;
      },
    });
  }

  private delivered(delivery: Delivery, fromSide: boolean): void {
    this.numbers.set(delivery, this.recorder.number());
    const { redelivered } = delivery;
    this.recorder.record({ type: 'delivered', ...this.refOf(delivery), redelivered, fromSide });
  }

  private ended(type: 'lost' | 'released'): void {
    if (this.over) return;
    this.over = true;
    this.tell(type);
  }

  private tell(type: 'owned' | 'releasing' | 'released' | 'lost' | 'suspended' | 'assured'): void {
    this.recorder.record({ type, ...this.epochRef });
  }

  private refOf(delivery: Delivery): Delivered {
    const ref = this.recorder.refOf(delivery.messageId, delivery.headers);
    return { ...ref, ...this.epochRef, delivery: this.numbers.get(delivery) ?? 0 };
  }

  private get epochRef(): EpochRef {
    return { shard: this.inner.shard, epoch: this.epoch };
  }
}
