import {
  ack,
  MessageHandler,
  type CallbackContext,
  type DataUpdaterHandler,
  type EventsProducer,
  type MessageContext,
  type PayloadOf,
  type ShardingKey,
} from '@mississippi/core';

/** Whether two types are the same one. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** The type checker is the test: a wrong type does not compile. */
function holds<_Claim extends true>(): void {}

test('keys are strings where nothing else is said, in the handler and in its contexts', () => {
  holds<Same<MessageContext['key'], string>>();
  holds<Same<CallbackContext['key'], string>>();
  holds<Same<Parameters<NonNullable<DataUpdaterHandler['init']>>[0], string>>();
  expect.assertions(0);
});

test('keys have the type that is given, in every callback', () => {
  type Handler = Required<DataUpdaterHandler<number, string, bigint>>;
  holds<Same<Parameters<Handler['init']>[0], bigint>>();
  holds<Same<Parameters<Handler['init']>[1], CallbackContext<bigint>>>();
  holds<Same<Parameters<Handler['handleMessage']>[2]['key'], bigint>>();
  holds<Same<Parameters<Handler['handleSignal']>[2]['key'], bigint>>();
  holds<Same<Parameters<Handler['handleContinue']>[2]['key'], bigint>>();
  holds<Same<Parameters<Handler['terminate']>[2]['key'], bigint>>();
  expect.assertions(0);
});

test('a handler is held to them', () => {
  @MessageHandler()
  class Numbers implements DataUpdaterHandler<number, { cents: number }, number> {
    init(key: number): number {
      return key;
    }
    handleMessage(booking: { cents: number }, state: number, { key }: MessageContext<number>) {
      return ack(state + booking.cents + key);
    }
  }
  class Wrong implements DataUpdaterHandler<number> {
    // @ts-expect-error Its keys are strings.
    handleMessage(_payload: unknown, _state: number, _context: MessageContext<number>): void {}
  }
  expect([Numbers, Wrong]).toHaveLength(2);
});

test('a key that is given is never null', () => {
  const publish = (producer: EventsProducer, id: string | null): unknown =>
    // @ts-expect-error What may be null is no key.
    producer.publish('x', { shardingKey: id });
  holds<Same<Extract<ShardingKey, null | undefined>, never>>();
  expect(publish).toBeInstanceOf(Function);
});

test('the type of a payload follows from its format', () => {
  class Flight {
    number!: number;
  }
  holds<Same<PayloadOf<typeof Flight>, Flight>>();
  holds<Same<PayloadOf<{ class: typeof Flight; whitelist: true }>, Flight>>();
  holds<Same<PayloadOf<'text'>, string>>();
  holds<Same<PayloadOf<'bytes'>, Uint8Array>>();
  holds<Same<PayloadOf<'json'>, unknown>>();
  holds<Same<PayloadOf<{ encode(n: number): Uint8Array; decode(body: Uint8Array): number }>, number>>();
  expect.assertions(0);
});
