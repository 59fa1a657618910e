import { ack, NoStoreError, shardOf, type MessageContext } from '@mississippi/core';
import { callbackContext, messageContext } from '../src/index.js';

describe('A context without Nest', () => {
  it('has what a test says, and what the library would say else', () => {
    const context: MessageContext<number> = messageContext({ key: 7, type: 'order.paid', headers: { trace: 'x' } });
    expect(context).toMatchObject({
      instance: 'default',
      epoch: 1,
      attempt: 1,
      redelivered: false,
      messageId: 'test-1',
    });
    expect(context).toMatchObject({ key: 7, shard: shardOf(7), type: 'order.paid', headers: { trace: 'x' } });
    expect(callbackContext({ key: 'a' }).attempt).toBe(0);
  });

  it('records what is published', () => {
    const handle = (payload: number, context: MessageContext) => {
      context.publish({ payload }, { shardingKey: 'other', type: 'counted' });
      return ack(payload);
    };
    const context = messageContext({ key: 'a' });
    expect(handle(1, context).state).toBe(1);
    expect(context.published).toEqual([{ payload: { payload: 1 }, shardingKey: 'other', type: 'counted' }]);
  });

  it('has functions that a handler may take out of it', async () => {
    const client = { query: () => undefined };
    const context = messageContext({ key: 'a', transaction: client });
    const { publish, transaction } = context;
    publish(1, { shardingKey: 'b' });
    expect(context.published).toEqual([{ payload: 1, shardingKey: 'b' }]);
    expect(await transaction()).toBe(client);
  });

  it('refuses what the real one would refuse', async () => {
    await expect(callbackContext({ key: 'a' }).transaction()).rejects.toThrow(NoStoreError);
  });

  it('gives the transaction of the test, and fires its abort signal', async () => {
    const client = { query: () => undefined };
    const context = messageContext({ key: 'a', transaction: client });
    expect(await context.transaction()).toBe(client);
    expect(context.abortSignal.aborted).toBe(false);
    context.abort(new Error('too late'));
    expect(context.abortSignal.reason).toEqual(new Error('too late'));
  });
});
