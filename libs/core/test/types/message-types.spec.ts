import {
  ack,
  OnMessage,
  OnSignal,
  reply,
  type CallbackContext,
  type DataUpdaterService,
  type KeyOf,
  type MessageContext,
  type SignalMethod,
  type StandardSchema,
} from '@mississippi/core';

/** Whether two types are the same one. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** The type checker is the test: a wrong type does not compile. */
function holds<_Claim extends true>(): void {}

class Created {
  name!: string;
  note?: string;
}
class Paid {
  cents!: number;
}
interface Order {
  cents: number;
}
const schema: StandardSchema<unknown, Paid> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as Paid }) },
};

test("a payload that does not fit the method's first parameter does not compile", () => {
  class Handler {
    @OnMessage('paid', { payload: Paid }) paid(_event: Paid, _state: Order, _context: MessageContext): void {}
    @OnMessage('options', { payload: { class: Paid, whitelist: true } }) options(_event: Paid): void {}
    @OnMessage('wider', { payload: Paid }) wider(_event: unknown): void {}
    @OnMessage('property', { payload: Paid }) property(_cents: number, _state: Order): void {}
    @OnMessage('nothing', { payload: Paid }) nothing(): void {}
    @OnMessage('anything') anything(_event: Paid): void {}
    @OnMessage() other(_event: Created): void {}

    // @ts-expect-error The payload is another class.
    @OnMessage('wrong', { payload: Created }) wrong(_event: Paid): void {}
    // @ts-expect-error The payload is another class, with options.
    @OnMessage('wrong', { payload: { class: Created } }) wrongOptions(_event: Paid): void {}
    // @ts-expect-error A method that takes more than the payload has.
    @OnMessage('wrong', { payload: Paid }) more(_event: Paid & { name: string }): void {}
    // @ts-expect-error Not what the schema gives.
    @OnMessage('wrong', { payload: schema }) wrongSchema(_event: Created): void {}
    @OnMessage('right', { payload: schema }) rightSchema(_event: Paid): void {}
    // @ts-expect-error How payloads travel is for the whole instance.
    @OnMessage('wrong', { payload: 'bytes' }) wrongFormat(_event: Uint8Array): void {}
    // @ts-expect-error There is no such option.
    @OnMessage('wrong', { attempts: 5 }) wrongOption(): void {}
  }
  expect(Handler).toBeInstanceOf(Function);
});

test('a type that the class does not list, and a method that does not take what it lists, do not compile', () => {
  class Handler {
    declare readonly messageTypes: { 'order.created': Created; 'order.paid': Paid };

    @OnMessage('order.created', { payload: Created }) created(_event: Created): void {}
    @OnMessage('order.paid') paid(_event: Paid): void {}
    @OnMessage() other(_event: unknown): void {}
    // @ts-expect-error A typo.
    @OnMessage('order.payed') payed(_event: Paid): void {}
    // @ts-expect-error The list says Paid.
    @OnMessage('order.paid') refunded(_event: Created): void {}
    // @ts-expect-error The list says Paid, and so does not the decorator.
    @OnMessage('order.paid', { payload: Created }) both(_event: Paid): void {}
  }
  expect(Handler).toBeInstanceOf(Function);
});

class OrderHandler {
  declare readonly messageTypes: { 'order.created': Created; 'order.paid': Paid };
  init(_key: string): Order {
    return { cents: 0 };
  }
  @OnMessage('order.paid', { payload: Paid }) paid(event: Paid, state: Order) {
    return ack({ cents: state.cents + event.cents });
  }
  @OnMessage('order.created') async created(_event: Created, _state: Order, _context: MessageContext): Promise<void> {}
  @OnSignal('status') status(_signal: undefined, state: Order): number {
    return state.cents;
  }
  @OnSignal('rename') async rename(name: string, state: Order, _context: CallbackContext) {
    return reply({ renamed: name }, state);
  }
  @OnSignal('reset') reset(): void {}
  terminate(): void {}
  private readonly hidden = (): string => 'no method of the client';
  shown(): string {
    return this.hidden();
  }
}

test('a client has the signals of the handler, with their parameter and answer', () => {
  const use = async (service: DataUpdaterService): Promise<void> => {
    const order = service.for(OrderHandler).key('k');
    const status: number = await order.status();
    await order.status(undefined, { timeout: 100 });
    const { renamed }: { renamed: string } = await order.rename('x');
    await order.reset();
    // @ts-expect-error There is no such signal.
    await order.stats();
    // @ts-expect-error A signal is missing.
    await order.rename();
    // @ts-expect-error The signal is a text.
    await order.rename(7);
    // @ts-expect-error The answer is a number.
    const text: string = await order.status();
    // @ts-expect-error Keys are strings.
    service.for(OrderHandler).key(7);
    void [status, renamed, text];
  };
  expect(use).toBeInstanceOf(Function);
});

test('callbacks, and methods that can only be for messages, are no signals', () => {
  holds<Same<SignalMethod<OrderHandler>, 'status' | 'rename' | 'reset' | 'shown'>>();
  holds<Same<KeyOf<OrderHandler>, string>>();
  expect.assertions(0);
});

test('a client publishes what the class lists, and nothing else', () => {
  const use = async (service: DataUpdaterService): Promise<void> => {
    const order = service.for(OrderHandler).key('k');
    await order.publish('order.paid', { cents: 1 });
    await order.publish('order.created', { name: 'x' }, { messageId: 'm' });
    // @ts-expect-error A typo.
    await order.publish('order.payed', { cents: 1 });
    // @ts-expect-error The payload of another type.
    await order.publish('order.paid', { name: 'x' });
    // @ts-expect-error The key is given already.
    await order.publish('order.paid', { cents: 1 }, { shardingKey: 'x' });
    class Untyped {}
    // @ts-expect-error The class lists none.
    await service.for(Untyped).key('k').publish('order.paid', { cents: 1 });
  };
  expect(use).toBeInstanceOf(Function);
});
