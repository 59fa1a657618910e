import { ack, NOTE_HEADERS, ok, PublishError, reply, type MessageContext } from '../../src/index.js';
import { ledger, rest, World, type Ledger } from '../support/durable-engine.js';
import { Gate } from '#support/gate.js';
import { RecordingHandler } from '../support/recording-handler.js';
import { replaceMethod } from '../support/replace-method.js';

/** Passes each payload on to `to`, with a name of its own. */
const passing = {
  ...ledger,
  handleMessage(payload: string, state: Ledger, context: MessageContext) {
    state.ids.push(payload);
    if (context.key === 'k') context.publish(`${payload}>`, { shardingKey: 'to', messageId: `${payload}>` });
  },
};

describe('what a callback publishes', () => {
  test('is in the status while the broker does not take it: how much, for how long, where to, and why', async () => {
    const world = new World();
    const { send, engine, service, clock } = await world.start(passing);
    let full = true;
    replaceMethod(engine.connection().publisher, 'publish', (publish) => (message, ...rest) => {
      if (!full || !message.messageId.endsWith('>')) return publish(message, ...rest);
      return Promise.reject(new PublishError('nacked', 'the queue is full'));
    });
    expect(service.status().store?.outbox).toEqual({ waiting: 0 });
    await send('k', 'a', 'b');
    const since = clock.now();
    await clock.advance(60_000);
    await rest();
    expect(service.status().store?.outbox).toEqual({
      waiting: 2,
      oldest: {
        age: clock.now() - since,
        destination: '"to"',
        shard: 0,
        problem: expect.stringContaining('the queue is full'),
      },
    });
    full = false;
    await clock.advance(60_000);
    await rest();
    expect(service.status().store?.outbox).toEqual({ waiting: 0 });
    expect(world.state('to')).toEqual({ ids: ['a>', 'b>'] });
  });

  test('leaves with each outcome, and as an option of it', async () => {
    const world = new World();
    const handler = new RecordingHandler<Ledger>({
      ...ledger,
      handleMessage(_payload, state, context) {
        if (context.key !== 'k') return undefined;
        context.publish('1', { shardingKey: 'to', messageId: '1' });
        return ack(state, { continue: 1, publish: [{ payload: '2', shardingKey: 'to', messageId: '2' }] });
      },
      handleContinue: (_argument, state, context) => {
        context.publish('3', { shardingKey: 'to', messageId: '3' });
        return ok(state, { publish: [{ payload: '4', shardingKey: 'to', messageId: '4' }] });
      },
      handleSignal: (_signal, state, context) => {
        context.publish('5', { shardingKey: 'to', messageId: '5' });
        return reply('yes', state, { publish: [{ payload: '6', shardingKey: 'to', messageId: '6' }] });
      },
    });
    const { send, service } = await world.start(handler);
    await send('k', 'a');
    await expect(service.handleSignal('k', 's')).resolves.toBe('yes');
    await rest();
    expect(handler.messages('to')).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(world.rows()).toEqual([]);
  });

  test('is dropped when it throws, and once in effect when it succeeds later', async () => {
    const world = new World();
    let failures = 0;
    const { send, clock } = await world.start({
      ...passing,
      handleMessage(payload: string, state: Ledger, context: MessageContext) {
        passing.handleMessage(payload, state, context);
        if (context.key === 'k' && failures++ < 2) throw new Error('struck');
      },
    });
    await send('k', 'a');
    await clock.advance(60_000);
    await rest();
    expect(world.state('to')).toEqual({ ids: ['a>'] });
  });

  test('may go by a function that the handler took out of its context', async () => {
    const world = new World();
    const { send } = await world.start({
      ...ledger,
      handleMessage(payload: string, state: Ledger, { key, publish }: MessageContext) {
        state.ids.push(payload);
        if (key === 'k') publish(`${payload}>`, { shardingKey: 'to', messageId: `${payload}>` });
      },
    });
    await send('k', 'a');
    await rest();
    expect(world.state('to')).toEqual({ ids: ['a>'] });
  });

  test('and a transaction too', async () => {
    const world = new World();
    const clients: unknown[] = [];
    const { send } = await world.start({
      ...ledger,
      async handleMessage(_payload: string, _state: Ledger, { transaction }: MessageContext) {
        clients.push(await transaction());
      },
    });
    await send('k', 'a');
    await rest();
    expect(clients).toEqual([expect.objectContaining({ set: expect.any(Function) })]);
  });

  test.each(['init', 'activate', 'terminate'] as const)('is refused in %s', async (name) => {
    const world = new World();
    const errors: unknown[] = [];
    const refused = (context: { publish: MessageContext['publish'] }): void => {
      try {
        context.publish('x', { shardingKey: 'to' });
      } catch (error) {
        errors.push(error);
      }
    };
    const { send, engine } = await world.start({
      init(_key: string, context: MessageContext) {
        if (name === 'init') refused(context);
        return { ids: [] };
      },
      activate: (_state: Ledger, context: MessageContext) => (name === 'activate' ? refused(context) : undefined),
      handleMessage: () => undefined,
      terminate: (_reason: unknown, _state: Ledger, context: MessageContext) =>
        name === 'terminate' ? refused(context) : undefined,
    });
    await send('k', 'a');
    await engine.stop();
    expect(errors).toMatchObject([{ code: 'not_now' }]);
  });

  test('is refused after the callback has ended', async () => {
    const world = new World();
    let late: MessageContext | undefined;
    const { send } = await world.start({
      handleMessage: (_payload: string, _state: unknown, context: MessageContext) => void (late = context),
    });
    await send('k', 'a');
    expect(() => late!.publish('x', { shardingKey: 'to' })).toThrow('has ended');
    await expect(late!.transaction()).rejects.toMatchObject({ code: 'not_now' });
  });

  test('and cannot be encoded is a failed attempt', async () => {
    const world = new World();
    const { send, of } = await world.start(
      { handleMessage: () => ack(undefined, { publish: [{ payload: 1n, shardingKey: 'to' }] }) },
      { failurePolicy: { attempts: 1 } },
    );
    await send('k', 'a');
    expect(of('exhausted')).toMatchObject([{ error: { code: 'payload_unencodable' } }]);
  });
});

describe('the outbox', () => {
  test('keeps the order of a source and a destination, each waiting for the confirm of the one before', async () => {
    const world = new World();
    const engine = await world.start(passing);
    const handed: string[] = [];
    const confirms: (() => void)[] = [];
    replaceMethod(engine.engine.connection().publisher, 'publish', (publish) => async (message, ...rest) => {
      if (!message.messageId.endsWith('>')) return publish(message, ...rest);
      handed.push(message.messageId);
      await new Promise<void>((resolve) => confirms.push(resolve));
      return publish(message, ...rest);
    });
    await engine.send('k', 'a', 'b', 'c');
    expect(handed).toEqual(['a>']);
    confirms.shift()!();
    await rest();
    expect(handed).toEqual(['a>', 'b>']);
    for (let n = 0; n < 2; n++) {
      confirms.shift()!();
      await rest();
    }
    expect(world.state('to')).toEqual({ ids: ['a>', 'b>', 'c>'] });
    expect(world.rows()).toEqual([]);
  });

  test('is sent by the next owner, what is left first, and what was sent already once', async () => {
    const world = new World();
    const first = await world.start(passing);
    let sent = 0;
    replaceMethod(first.engine.connection().publisher, 'publish', (publish) => async (message, ...rest) => {
      if (!message.messageId.endsWith('>')) return publish(message, ...rest);
      if (sent++ > 0) return new Promise<void>(() => undefined);
      await publish(message, ...rest);
      return new Promise<void>(() => undefined); // The confirm does not come.
    });
    await first.send('k', 'a', 'b');
    expect(world.rows()).toHaveLength(2);
    await first.kill();
    const second = await world.start(passing);
    await second.send('k', 'c');
    expect(world.state('to')).toEqual({ ids: ['a>', 'b>', 'c>'] });
    expect(world.rows()).toEqual([]);
  });

  test('whose row is read before its commit is answered hands it out once', async () => {
    const world = new World();
    const engine = await world.start(passing);
    await engine.send('to', 'x');
    const handed: string[] = [];
    replaceMethod(engine.engine.connection().publisher, 'publish', (publish) => (message, ...rest) => {
      if (message.messageId.endsWith('>')) handed.push(message.messageId);
      return publish(message, ...rest);
    });
    const read = engine.store.hold('outbox');
    const answer = engine.store.holdAnswer('commit');
    world.broker.loseShard(0);
    await engine.send('k', 'a');
    await answer.reached;
    read.release();
    await rest();
    answer.release();
    await rest();
    expect(handed).toEqual(['a>']);
  });

  test('makes a row that the broker refuses for good a dead letter, behind which later rows go on', async () => {
    const world = new World();
    const engine = await world.start(passing);
    replaceMethod(
      engine.engine.connection().publisher,
      'publish',
      (publish) =>
        (message, ...rest) =>
          message.messageId === 'a>'
            ? Promise.reject(new PublishError('too_large', 'far too large'))
            : publish(message, ...rest),
    );
    await engine.send('k', 'a', 'b');
    expect(world.broker.deadLetters).toMatchObject([
      { messageId: 'a>', headers: { [NOTE_HEADERS.reason]: 'unpublishable' } },
    ]);
    expect(world.state('to')).toEqual({ ids: ['b>'] });
    expect(world.rows()).toEqual([]);
  });

  test('tries again what the broker does not take at present, in order, and says so', async () => {
    const world = new World();
    const engine = await world.start(passing);
    let refused = 0;
    replaceMethod(
      engine.engine.connection().publisher,
      'publish',
      (publish) =>
        (message, ...rest) =>
          message.messageId === 'a>' && refused++ < 3
            ? Promise.reject(new PublishError('nacked', 'full'))
            : publish(message, ...rest),
    );
    await engine.send('k', 'a', 'b');
    for (let n = 0; n < 5; n++) {
      await engine.clock.advance(5_000);
      await rest();
    }
    expect(world.state('to')).toEqual({ ids: ['a>', 'b>'] });
    expect(engine.logs.some((line) => line.includes('outbox of shard 0'))).toBe(true);
  });

  test('that the broker does not empty lets no attempt of the shard start, and goes on when it does', async () => {
    const world = new World();
    const handler = new RecordingHandler<Ledger>({
      ...ledger,
      handleMessage(payload, _state, context) {
        if (payload !== 'a') return;
        for (let n = 0; n < 5_000; n++) context.publish('x', { shardingKey: `to ${n % 50}`, messageId: `${n}` });
      },
    });
    const { send, engine } = await world.start(handler);
    const gate = new Gate();
    replaceMethod(engine.connection().publisher, 'publish', (publish) => async (message, ...rest) => {
      if (message.messageId !== 'a' && message.messageId !== 'b') await gate.promise;
      return publish(message, ...rest);
    });
    await send('k', 'a');
    await send('k', 'b');
    expect(handler.messages('k')).toEqual(['a']);
    gate.resolve();
    while (world.broker.length > 0) await rest();
    expect(handler.messages('k')).toEqual(['a', 'b']);
    expect(handler.messages('to 7')).toHaveLength(100);
    while (world.rows().length > 0) await rest();
  });
});
