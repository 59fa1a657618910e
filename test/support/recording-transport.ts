import type { Transport } from '@mississippi/core';
import type {
  Delivery,
  ParkedReader,
  ShardReceiver,
  ShardSession,
  TransportConnection,
} from '@mississippi/core/transport';
import type { History, MessageRef, Numbered } from './history.js';

const PROCESS = 'app';

/** A transport whose deliveries, settlements and lost epochs are written into a history. */
export function recorded(transport: Transport, history: History): Transport {
  return {
    name: transport.name,
    async connect(context) {
      const connection = await transport.connect(context);
      return over<TransportConnection>(connection, {
        consume: (consumer) =>
          connection.consume(
            over(consumer, {
              open(session) {
                const recorder = new SessionRecorder(session, history);
                const opening = consumer.open(recorder.session());
                return opening instanceof Promise
                  ? opening.then((receiver) => recorder.receiver(receiver))
                  : recorder.receiver(opening);
              },
            }),
          ),
      });
    },
  };
}

/** The same object as before, but for some methods. */
function over<T extends object>(inner: T, methods: Partial<T>): T {
  return new Proxy(inner, {
    get(_target, name) {
      const own: unknown = Reflect.get(methods, name);
      const value: unknown = own ?? Reflect.get(inner, name);
      return typeof value === 'function' ? (value.bind(own === undefined ? inner : methods) as unknown) : value;
    },
  });
}

/** Records one epoch. */
class SessionRecorder {
  private epoch = '';
  private readonly numbers = new WeakMap<Delivery, string>();

  constructor(
    private readonly inner: ShardSession,
    private readonly history: History,
  ) {}

  receiver(inner: ShardReceiver): ShardReceiver {
    this.epoch = `${PROCESS}:${this.inner.shard}/${inner.epoch}`;
    return over(inner, {
      deliver: (delivery) => {
        this.delivered(delivery);
        inner.deliver(delivery);
      },
      lost: (cause) => {
        inner.lost(cause);
        this.history.record({ type: 'lost', epoch: this.epoch });
      },
    });
  }

  session(): ShardSession {
    const { inner } = this;
    return over(inner, {
      settle: (delivery) => {
        inner.settle(delivery);
        this.noted('settle', delivery);
      },
      deadLetter: async (delivery, notes) => {
        await inner.deadLetter(delivery, notes);
        this.noted('deadLetter', delivery);
      },
      park: async (delivery, mode, notes) => {
        this.noted('move', delivery);
        await inner.park(delivery, mode, notes);
        this.noted('park', delivery);
      },
      readParked: (key) => this.reader(inner.readParked(key)),
    });
  }

  private reader(inner: ParkedReader): ParkedReader {
    return over(inner, {
      next: async () => {
        const delivery = await inner.next();
        if (!this.numbers.has(delivery)) this.delivered(delivery);
        return delivery;
      },
    });
  }

  private delivered(delivery: Delivery): void {
    const number = this.history.number(PROCESS);
    this.numbers.set(delivery, number);
    const { redelivered } = delivery;
    this.history.record({ type: 'deliver', ...refOf(delivery), epoch: this.epoch, delivery: number, redelivered });
  }

  private noted(type: 'settle' | 'move' | 'park' | 'deadLetter', delivery: Delivery): void {
    const number = this.numbers.get(delivery) ?? 'none';
    this.history.record({ type, ...refOf(delivery), epoch: this.epoch, delivery: number });
  }
}

function refOf({ body, messageId }: Delivery): MessageRef {
  const { key, seq } = JSON.parse(Buffer.from(body).toString()) as Numbered;
  return { key, seq, id: messageId ?? '' };
}
