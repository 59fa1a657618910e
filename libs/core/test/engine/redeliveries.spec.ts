import { discard, type MessageOutcome } from '../../src/index.js';
import { settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler } from '../support/recording-handler.js';
import { ScriptedDelivery, ScriptedTransport } from '../support/scripted-transport.js';
import { startEngine } from '../support/test-engine.js';

/** An engine on a transport that the test plays; attempts of `slow...` end when the test opens their gate. */
async function startScripted(prefetch = 300) {
  const gates = new Gates<MessageOutcome<unknown> | void>();
  const handler = new RecordingHandler({
    handleMessage: (payload) => (payload.startsWith('slow') ? gates.at(payload) : undefined),
  });
  return { gates, handler, ...(await startEngine(handler, { transport: new ScriptedTransport({ prefetch }) })) };
}

describe('a message that comes back while the attempt of the last epoch still runs', () => {
  test('waits for that attempt, and is acked without a second run if it succeeded', async () => {
    const { transport, gates, handler, of } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'slow');
    first.lose();
    const second = transport.own();
    second.redeliver('k', 'slow');
    second.deliver('k', 'next');
    await settled();
    expect(handler.of('k')).toEqual(['init', 'message slow']);
    gates.open('slow', undefined);
    await settled();
    expect(second.settled).toEqual(['slow', 'next']);
    expect(handler.of('k')).toEqual(['init', 'message slow', 'terminate shardLost', 'init', 'message next']);
    expect(of('skipped')).toMatchObject([{ messageId: 'slow', epoch: 2 }]);
  });

  test('runs again if that attempt failed', async () => {
    const { transport, gates, handler } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'slow');
    first.lose();
    const second = transport.own();
    second.redeliver('k', 'slow');
    gates.fail('slow', new Error('lost'));
    await settled();
    expect(handler.messages('k')).toEqual(['slow', 'slow']);
    expect(second.settled).toEqual([]);
  });

  test('runs again if that attempt discarded, for its dead letter was never written', async () => {
    const { transport, gates, handler } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'slow');
    first.lose();
    const second = transport.own();
    second.redeliver('k', 'slow');
    gates.open('slow', discard('no'));
    await settled();
    expect(handler.messages('k')).toEqual(['slow', 'slow']);
  });

  test('does not wait for ever: an abandoned attempt makes room', async () => {
    const { transport, handler, clock } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'slow');
    first.lose();
    transport.own().redeliver('k', 'slow');
    await clock.advance(301_000);
    expect(handler.messages('k')).toEqual(['slow', 'slow']);
  });

  test('waits over several epochs too', async () => {
    const { transport, gates, handler } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'slow');
    first.lose();
    const second = transport.own();
    second.redeliver('k', 'slow');
    second.lose();
    const third = transport.own();
    third.redeliver('k', 'slow');
    gates.open('slow', undefined);
    await settled();
    expect(handler.messages('k')).toEqual(['slow']);
    expect(third.settled).toEqual(['slow']);
  });

  test('is told from another message of the key that comes first', async () => {
    const { transport, gates, handler } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'a');
    first.deliver('k', 'slow');
    await settled();
    first.lose();
    const second = transport.own();
    second.redeliver('k', 'a');
    second.redeliver('k', 'slow');
    gates.open('slow', undefined);
    await settled();
    expect(handler.messages('k')).toEqual(['a', 'slow']);
    expect(second.settled).toEqual(['a', 'slow']);
  });

  test('is known too when the attempt ends after the new epoch began and before the message is there', async () => {
    const { transport, gates, handler } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'slow');
    first.lose();
    const second = transport.own();
    gates.open('slow', undefined);
    await settled();
    second.redeliver('k', 'slow');
    await settled();
    expect(handler.messages('k')).toEqual(['slow']);
    expect(second.settled).toEqual(['slow']);
  });

  test('leaves the other keys of its shard alone', async () => {
    const { transport, handler } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'slow');
    first.lose();
    const second = transport.own();
    second.redeliver('k', 'slow');
    second.deliver('l', 'other');
    await settled();
    expect(handler.messages('l')).toEqual(['other']);
  });
});

describe('messages that were handled in the last epoch', () => {
  test('are acked without running again when they come back, for their acks were lost', async () => {
    const { transport, handler } = await startScripted();
    const first = transport.own();
    for (const payload of ['a', 'b']) first.deliver('k', payload);
    await settled();
    first.lose();
    const second = transport.own();
    for (const payload of ['a', 'b']) second.redeliver('k', payload);
    second.deliver('k', 'c');
    await settled();
    expect(handler.messages('k')).toEqual(['a', 'b', 'c']);
    expect(second.settled).toEqual(['a', 'b', 'c']);
  });

  test('are forgotten at the first delivery that is not a redelivery', async () => {
    const { transport, handler } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'a');
    await settled();
    first.lose();
    const second = transport.own();
    second.deliver('l', 'new');
    second.redeliver('k', 'a');
    await settled();
    expect(handler.messages('k')).toEqual(['a', 'a']);
  });

  test('are never recognised in a delivery that is not redelivered: a resend runs again', async () => {
    const { transport, handler } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'a');
    await settled();
    first.lose();
    transport.own().deliver('k', 'a');
    await settled();
    expect(handler.messages('k')).toEqual(['a', 'a']);
  });

  test.each<[string, [string, string, string?]]>([
    ['another key', ['l', 'a', 'a']],
    ['another payload', ['k', 'b', 'a']],
    ['another message id', ['k', 'a', 'b']],
  ])('are recognised by message id, key and payload: %s runs', async (_, [key, payload, messageId]) => {
    const { transport, handler } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'a');
    await settled();
    first.lose();
    transport.own().redeliver(key, payload, messageId);
    await settled();
    expect(handler.messages(key).at(-1)).toBe(payload);
    expect(handler.calls.filter((call) => call.includes('message'))).toHaveLength(2);
  });

  test('are not taken for one that equals them and comes behind another message of the key', async () => {
    const { transport, gates, handler } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'a');
    first.deliver('k', 'slow');
    await settled();
    first.lose();
    const second = transport.own();
    // The ack of the first had arrived, and the second of its kind was on its way when the channel went.
    second.redeliver('k', 'slow');
    second.redeliver('k', 'a');
    gates.open('slow', undefined);
    await settled();
    expect(handler.messages('k')).toEqual(['a', 'slow', 'a']);
    expect(second.settled).toEqual(['slow', 'a']);
  });

  test('are recognised once each', async () => {
    const { transport, handler } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'a');
    await settled();
    first.lose();
    const second = transport.own();
    second.redeliver('k', 'a');
    second.redeliver('k', 'a');
    await settled();
    expect(handler.messages('k')).toEqual(['a', 'a']);
  });

  describe('when two messages of one id, key and payload were published', () => {
    test.each<[string, string[], string[]]>([
      ['alone', ['a'], ['a', 'a']],
      ['behind the first, whose ack was lost', ['a', 'a'], ['a', 'a']],
      ['behind others', ['b', 'a'], ['a', 'b', 'a']],
      ['behind others and the first, whose ack was lost', ['a', 'b', 'a'], ['a', 'b', 'a']],
    ])('the second runs if it had not when the channel was lost: it comes back %s', async (_, back, handled) => {
      const { transport, handler, engine } = await startScripted();
      const first = transport.own();
      first.deliver('k', 'a');
      await settled();
      // Nothing starts any more until the broker has answered.
      first.certain = false;
      for (const payload of handled.slice(1)) first.deliver('k', payload);
      await settled();
      first.lose();
      const second = transport.own();
      for (const payload of back) second.redeliver('k', payload);
      await settled();
      expect(handler.messages('k')).toEqual(handled);
      expect(second.settled).toEqual(back);
      await engine.close();
    });

    test.each<[string, string[], string[]]>([
      ['the acks had arrived', ['a'], ['a', 'slow', 'a', 'end']],
      ['only the first ack had arrived', ['slow', 'a'], ['a', 'slow', 'a', 'end']],
      ['the acks were lost', ['a', 'slow', 'a'], ['a', 'slow', 'a', 'slow', 'a', 'end']],
    ])(
      'the second is the last of its key that is handled, behind one that ended late: %s',
      async (_, back, handled) => {
        const { transport, handler, gates } = await startScripted();
        const first = transport.own();
        for (const payload of ['a', 'slow', 'a']) first.deliver('k', payload);
        await settled();
        first.lose();
        gates.open('slow', undefined);
        await settled();
        const second = transport.own();
        for (const payload of back) second.redeliver('k', payload);
        second.deliver('k', 'end');
        await settled();
        // Where it runs again.
        if (handled.length > 4) gates.open('slow', undefined);
        await settled();
        expect(handler.messages('k')).toEqual(handled);
        expect(second.settled).toEqual([...back, 'end']);
      },
    );

    test.each<[string, boolean, number]>([
      ['again if its attempt failed', false, 3],
      ['once if its attempt succeeded', true, 2],
    ])('the second, which ran when the channel was lost, runs %s', async (__, succeeds, runs) => {
      const { transport, gates, handler } = await startScripted();
      const first = transport.own();
      for (const _ of [1, 2]) first.deliver('k', 'slow');
      gates.open('slow', undefined);
      await settled();
      expect(first.settled).toEqual(['slow']);
      first.lose();
      const second = transport.own();
      second.redeliver('k', 'slow');
      if (succeeds) gates.open('slow', undefined);
      else gates.fail('slow', new Error('lost'));
      await settled();
      expect(handler.messages('k')).toEqual(Array.from({ length: runs }, () => 'slow'));
    });

    test('the second runs if it came while the shard was handed over', async () => {
      const { transport, handler, gates } = await startScripted();
      const first = transport.own();
      first.deliver('k', 'a');
      first.deliver('l', 'slow');
      await settled();
      const released = first.receiver.release();
      first.deliver('k', 'a');
      gates.open('slow', undefined);
      await released;
      const second = transport.own();
      second.redeliver('k', 'a');
      await settled();
      expect(handler.messages('k')).toEqual(['a', 'a']);
    });
  });

  test('are remembered up to the prefetch window, the newest', async () => {
    const { transport, handler } = await startScripted(3);
    const first = transport.own();
    const all = ['1', '2', '3', '4', '5'];
    for (const payload of all) first.deliver('k', payload);
    await settled();
    first.lose();
    const second = transport.own();
    for (const payload of all) second.redeliver('k', payload);
    await settled();
    // What follows one that runs again runs too: the key would end on what was earlier.
    expect(handler.messages('k')).toEqual([...all, ...all]);
  });

  test('are not forgotten because of what is fed from the side queue', async () => {
    const { transport, handler } = await startScripted();
    const first = transport.own();
    first.deliver('k', 'a');
    await settled();
    first.lose();
    const second = transport.own([new ScriptedDelivery('l', 'parked', false)]);
    await settled();
    second.redeliver('k', 'a');
    await settled();
    expect(handler.calls.filter((call) => call.includes('message'))).toEqual(['k message a', 'l message parked']);
  });
});
