import {
  ack,
  DataUpdaterService,
  MessageHandler,
  MississippiModule,
  OnMessage,
  OnSignal,
  type MessageContext,
} from '@mississippi/core';
import { Test } from '@nestjs/testing';
import { MississippiHarness } from '../src/index.js';

@MessageHandler()
class OrderHandler {
  init(): number {
    return 0;
  }

  @OnMessage('order.created')
  created(payload: { n: number }, state: number, _context: MessageContext) {
    return ack(state + payload.n);
  }

  @OnSignal('status')
  status(_signal: undefined, state: number): number {
    return state;
  }
}

test('methods for types of messages are tested in the same way', async () => {
  const metadata = { imports: [MississippiModule.forRoot()], providers: [OrderHandler] };
  const harness = await MississippiHarness.create(Test.createTestingModule(metadata));
  harness.fail('a');
  await harness.send('a', { n: 2 }, { type: 'order.created' });
  await harness.settled({ advance: 1_000 });
  expect(harness.outcomes('a')).toEqual(['retried', 'handled']);
  expect(await harness.signal('a', undefined, { name: 'status' })).toBe(2);
  expect(await harness.get(DataUpdaterService).for(OrderHandler).key('a').status()).toBe(2);
  await harness.send('a', { n: 2 }, { type: 'unknown' });
  await harness.settled();
  expect(harness.parked()).toMatchObject([{ key: 'a', messages: 1 }]);
  await harness.close();
});
