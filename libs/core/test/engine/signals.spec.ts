import {
  ack,
  DataUpdaterStartError,
  discard,
  reply,
  ShardNotOwnedError,
  SignalNotHandledError,
  SignalTimeoutError,
} from '../../src/index.js';
import { FakeClock, settled } from '../support/fake-clock.js';
import { Gates, RecordingHandler, watch } from '../support/recording-handler.js';
import { startEngine } from '../support/test-engine.js';

describe('the answer', () => {
  test('[M11] a signal changes the state, and the next callbacks see it', async () => {
    const states: unknown[] = [];
    const { service, send } = await startEngine({
      init: () => 1,
      handleSignal: (signal, state) => reply(`${String(state)}->${String(signal)}`, signal),
      handleMessage: (_, state) => void states.push(state),
    });
    expect(await service.handleSignal('k', 7)).toBe('1->7');
    await send('k', 'a');
    expect(states).toEqual([7]);
    expect(await service.handleSignal('k', 8)).toBe('7->8');
  });

  test('a plain value answers and keeps the state', async () => {
    const { service } = await startEngine({
      init: () => 1,
      handleSignal: (signal, state) => [signal, state],
      handleMessage: () => undefined,
    });
    expect(await service.handleSignal('k', 'x')).toEqual(['x', 1]);
    expect(await service.handleSignal('k', 'y')).toEqual(['y', 1]);
  });

  test('handleSignal waits for an answer that comes later', async () => {
    const gates = new Gates<string>();
    const { service } = await startEngine(new RecordingHandler({ handleSignal: () => gates.at('signal') }));
    const answer = watch(service.handleSignal('k', 's'));
    await settled();
    expect(answer.state).toBe('pending');
    gates.open('signal', 'at last');
    await settled();
    expect(answer).toEqual({ state: 'resolved', value: 'at last' });
  });

  test('signals of one key are answered in the order in which they were sent', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleSignal: (signal) => gates.at(String(signal)) });
    const { service } = await startEngine(handler);
    const answers = ['1', '2', '3'].map((signal) => service.handleSignal('k', signal));
    for (const name of ['1', '2', '3']) {
      await settled();
      expect(gates.names).toEqual([name]);
      gates.open(name);
    }
    await Promise.all(answers);
    expect(handler.of('k')).toEqual(['init', 'signal 1', 'signal 2', 'signal 3']);
  });

  test('where init fails the caller gets a DataUpdaterStartError at once', async () => {
    const cause = new Error('no database');
    const { service } = await startEngine(new RecordingHandler({ init: () => Promise.reject(cause) }));
    const error = await service.handleSignal('k', 's').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DataUpdaterStartError);
    expect(error).toHaveProperty('cause', cause);
  });

  test('a handler without handleSignal rejects with a typed error and stays as it is', async () => {
    const ended: unknown[] = [];
    const { service } = await startEngine({
      handleMessage: () => undefined,
      terminate: (reason) => void ended.push(reason),
    });
    await expect(service.handleSignal('k', 's')).rejects.toBeInstanceOf(SignalNotHandledError);
    expect(ended).toEqual([]);
  });

  test('a signal that waits while its shard is lost is rejected', async () => {
    const gates = new Gates();
    const { service, send, transport, shard } = await startEngine(
      new RecordingHandler({ handleMessage: () => gates.at('a') }),
    );
    await send('k', 'a');
    const answer = service.handleSignal('k', 's');
    transport.broker.loseShard(shard('k'));
    await expect(answer).rejects.toBeInstanceOf(ShardNotOwnedError);
  });
});

describe('the turn of a signal', () => {
  test('it waits for the callback that is running, never for the messages in the FIFO', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: (payload) => gates.at(payload) });
    const { service, send } = await startEngine(handler);
    await send('k', 'a', 'b', 'c');
    const answer = watch(service.handleSignal('k', 's'));
    await settled();
    expect(answer.state).toBe('pending');
    gates.open('a');
    await settled();
    expect(answer.state).toBe('resolved');
    expect(handler.of('k')).toEqual(['init', 'message a', 'signal s', 'message b']);
  });

  test('after the signals that waited when a message ended one message runs: neither starves the other', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({
      handleMessage: (payload) => gates.at(payload),
      handleSignal: (signal) => gates.at(String(signal)),
    });
    const { service, send } = await startEngine(handler);
    await send('k', 'a', 'b');
    const early = [service.handleSignal('k', '1'), service.handleSignal('k', '2')];
    gates.open('a');
    await settled();
    const late = service.handleSignal('k', '3');
    for (const name of ['1', '2', 'b', '3']) {
      await settled();
      gates.open(name);
    }
    await Promise.all([...early, late]);
    expect(handler.of('k')).toEqual(['init', 'message a', 'signal 1', 'signal 2', 'message b', 'signal 3']);
  });

  test('it runs between the attempts at a failing message', async () => {
    const handler = new RecordingHandler({ handleMessage: () => Promise.reject(new Error('broken')) });
    const { service, send } = await startEngine(handler);
    await send('k', 'a');
    await service.handleSignal('k', 's');
    expect(handler.of('k')).toEqual(['init', 'message a', 'terminate broken', 'init', 'signal s']);
  });

  test('it runs while the key is parked', async () => {
    const handler = new RecordingHandler();
    const { service, send } = await startEngine(handler);
    await service.park('k');
    await send('k', 'a');
    await service.handleSignal('k', 's');
    expect(handler.of('k')).toEqual(['init', 'signal s']);
  });

  test('it does not wait until the dead letter of a discard is confirmed', async () => {
    const { service, send, transport } = await startEngine(
      new RecordingHandler({ handleMessage: () => discard('no'), handleSignal: () => 'here' }),
    );
    const published = send('k', 'a');
    transport.broker.block();
    await published;
    const answer = watch(service.handleSignal('k', 's'));
    await settled();
    expect(transport.broker.length).toBe(1);
    expect(answer).toEqual({ state: 'resolved', value: 'here' });
  });

  test('a continuation goes before it, even when the dead letter of its message must be waited for', async () => {
    const handler = new RecordingHandler({ handleMessage: () => discard('no', undefined, { continue: 'x' }) });
    const { service, send, transport } = await startEngine(handler);
    const published = send('k', 'a');
    transport.broker.block();
    await published;
    const answer = service.handleSignal('k', 's');
    await settled();
    expect(handler.of('k')).toEqual(['init', 'message a']);
    transport.broker.unblock();
    await answer;
    expect(handler.of('k')).toEqual(['init', 'message a', 'continue x', 'signal s']);
  });
});

describe('the time-out of a signal', () => {
  test('is 5 s by default; a signal that has not had its turn by then never runs', async () => {
    const gates = new Gates();
    const handler = new RecordingHandler({ handleMessage: () => gates.at('a') });
    const { service, send, clock } = await startEngine(handler);
    await send('k', 'a');
    const answer = watch(service.handleSignal('k', 's'));
    await clock.advance(4_999);
    expect(answer.state).toBe('pending');
    await clock.advance(1);
    expect(answer.value).toBeInstanceOf(SignalTimeoutError);
    expect(answer.value).toHaveProperty('started', false);
    gates.open('a');
    await settled();
    expect(handler.of('k')).toEqual(['init', 'message a']);
  });

  test('of one that runs says so; it takes effect all the same', async () => {
    const gates = new Gates();
    const states: unknown[] = [];
    const { service, send, clock } = await startEngine({
      init: () => 1,
      handleSignal: () => gates.at('signal').then(() => reply('late', 2)),
      handleMessage: (_, state) => ack(states.push(state)),
    });
    const answer = watch(service.handleSignal('k', 's'));
    await clock.advance(5_000);
    expect(answer.value).toHaveProperty('started', true);
    gates.open('signal');
    await send('k', 'a');
    expect(states).toEqual([2]);
  });

  test('can be set for the module and for each call', async () => {
    const gates = new Gates();
    const { service, clock } = await startEngine(new RecordingHandler({ handleSignal: () => gates.at('signal') }), {
      signalTimeout: 200,
    });
    const byModule = watch(service.handleSignal('k', 's'));
    const byCall = watch(service.handleSignal('l', 's', { timeout: 50 }));
    const never = watch(service.handleSignal('m', 's', { timeout: Infinity }));
    await clock.advance(50);
    expect([byModule.state, byCall.state]).toEqual(['pending', 'rejected']);
    await clock.advance(150);
    expect(byModule.state).toBe('rejected');
    await clock.advance(250_000);
    expect(never.state).toBe('pending');
  });
});

describe('signals without a pause', () => {
  /** Counts rounds of the event loop until it is told to end. */
  function countRounds() {
    const rounds = { passed: 0, counting: true };
    const count = (): void => {
      rounds.passed++;
      if (rounds.counting) setImmediate(count);
    };
    setImmediate(count);
    return rounds;
  }

  test('leave the event loop its turn: a caller who sends the next one as soon as it has the answer', async () => {
    const { service } = await startEngine({ handleMessage: () => undefined, handleSignal: () => 'here' });
    const rounds = countRounds();
    for (let sent = 0; sent < 5_120; sent++) await service.handleSignal('k', 's');
    rounds.counting = false;
    expect(rounds.passed).toBeGreaterThanOrEqual(9);
  });

  test('and so do those that were all sent at once; they are answered in order', async () => {
    const seen: unknown[] = [];
    const { service } = await startEngine({
      handleMessage: () => undefined,
      handleSignal: (signal) => void seen.push(signal),
    });
    const rounds = countRounds();
    const numbers = Array.from({ length: 5_120 }, (_, index) => index);
    await Promise.all(numbers.map((number) => service.handleSignal('k', number)));
    rounds.counting = false;
    expect(rounds.passed).toBeGreaterThanOrEqual(9);
    expect(seen).toEqual(numbers);
  });

  test('let those of other keys pass, and the messages of their own', async () => {
    const seen: string[] = [];
    const { service, publish } = await startEngine({
      handleMessage: (payload) => void seen.push(String(payload)),
      handleSignal: (signal) => void seen.push(String(signal)),
    });
    const flood = Array.from({ length: 5_120 }, () => service.handleSignal('k', 'flood'));
    const others = ['l', 'm', 'n'].map((key) => service.handleSignal(key, key));
    await publish('k', 'message');
    await Promise.all([...flood, ...others]);
    for (const name of ['l', 'm', 'n', 'message']) {
      expect(seen.indexOf(name)).toBeGreaterThanOrEqual(0);
      expect(seen.indexOf(name)).toBeLessThan(3 * 512 + 10);
    }
  });

  test('that wait for the next round are rejected with their shard, and hold it up no longer', async () => {
    const { service, transport, engine } = await startEngine(
      { handleMessage: () => undefined, handleSignal: () => 'here' },
      { memory: { totalCount: 1 } },
    );
    const flood = Array.from({ length: 600 }, () => watch(service.handleSignal('k', 's')));
    transport.broker.loseShard(0);
    await settled();
    expect(flood.filter(({ state }) => state === 'resolved')).toHaveLength(512);
    expect(flood.at(-1)!.value).toBeInstanceOf(ShardNotOwnedError);
    await engine.stop();
  });
});

describe('a signal whose time is up', () => {
  test('is released at once, wherever it waits', async () => {
    const gates = new Gates();
    const { service, send, clock } = await startEngine(new RecordingHandler({ handleMessage: () => gates.at('a') }), {
      memory: { totalCount: 1 },
    });
    await send('k', 'a');
    const patient = [watch(service.handleSignal('k', 'first', { timeout: Infinity }))];
    const released = ask();
    patient.push(watch(service.handleSignal('k', 'last', { timeout: Infinity })));
    await clock.advance(50);
    await settled();
    gc!();
    expect(released.deref()).toBeUndefined();
    gates.open('a');
    await settled();
    expect(patient.map(({ state }) => state)).toEqual(['resolved', 'resolved']);

    /** In a function of its own, whose frame holds the signal no longer. */
    function ask(): WeakRef<object> {
      const signal = { large: true };
      service.handleSignal('k', signal, { timeout: 50 }).catch(() => undefined);
      return new WeakRef(signal);
    }
  });

  test('does not run, though a callback kept its timer from firing', async () => {
    const clock = new FakeClock();
    const time = clock.now.bind(clock);
    let blocked = 0;
    clock.now = () => time() + blocked;
    const gates = new Gates();
    const handler = new RecordingHandler({
      handleMessage: () => gates.at('a'),
      handleSignal: (signal) => {
        if (signal === 'slow') blocked += 6_000;
      },
    });
    const { service, send } = await startEngine(handler, { clock });
    await send('k', 'a');
    const slow = watch(service.handleSignal('k', 'slow', { timeout: Infinity }));
    const late = watch(service.handleSignal('k', 'late'));
    const patient = watch(service.handleSignal('k', 'patient', { timeout: 60_000 }));
    gates.open('a');
    await settled();
    expect([slow.state, patient.state]).toEqual(['resolved', 'resolved']);
    expect(late.value).toBeInstanceOf(SignalTimeoutError);
    expect(late.value).toHaveProperty('started', false);
    expect(handler.of('k')).toEqual(['init', 'message a', 'signal slow', 'signal patient']);
  });
});
