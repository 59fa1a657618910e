import { jest } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  ack,
  discard,
  DataUpdaterService,
  EventsProducer,
  memoryStore,
  MemoryStoreDatabase,
  MessageHandler,
  MississippiModule,
  type CallbackContext,
  type DataUpdaterHandler,
  type MessageContext,
  type Transport,
} from '@mississippi/core';
import { MississippiHarness, NotSettledError, type HarnessOptions } from '../src/index.js';

const AWAY: Transport = { name: 'away', connect: () => Promise.reject(new Error('a test must not connect')) };

@Injectable()
class Ledger {
  failures = 0;
  readonly booked: unknown[] = [];

  book(what: unknown): void {
    if (this.failures-- > 0) throw new Error('the ledger is closed');
    this.booked.push(what);
  }
}

interface Order {
  seen: number;
}

@MessageHandler()
class OrderHandler implements DataUpdaterHandler<Order, { n: number }> {
  constructor(
    private readonly ledger: Ledger,
    private readonly producer: EventsProducer,
  ) {}

  init(): Order {
    return { seen: 0 };
  }

  async handleMessage({ n }: { n: number }, { seen }: Order, { key, type, redelivered }: MessageContext) {
    if (n < 0) return discard('negative');
    this.ledger.book(redelivered ? `again ${n}` : n);
    if (type === 'forward')
      await this.producer.publish({ n: n + 1 }, { shardingKey: `${key}-next`, type: 'forwarded' });
    return ack({ seen: seen + 1 }, n === 7 ? { continue: n } : undefined);
  }

  async handleContinue(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    this.ledger.book('continued');
  }

  handleSignal(_signal: unknown, { seen }: Order): number {
    return seen;
  }
}

@Module({
  imports: [MississippiModule.forRoot({ transport: AWAY, failurePolicy: { attempts: 3 } })],
  providers: [OrderHandler, Ledger],
})
class AppModule {}

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

let harness: MississippiHarness;
let ledger: Ledger;

async function start(options?: HarnessOptions): Promise<void> {
  harness = await MississippiHarness.create(Test.createTestingModule({ imports: [AppModule] }), options);
  ledger = harness.get(Ledger);
}

afterEach(() => harness.close());

describe('One call', () => {
  it('swaps transport and clock, and leaves the overrides of the test', async () => {
    const own = { book: () => undefined, mine: true };
    const builder = Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(Ledger)
      .useValue(own);
    harness = await MississippiHarness.create(builder);
    await harness.send('a', { n: 1 });
    await harness.settled();
    expect(harness.get(Ledger)).toBe(own);
    expect(harness.get(DataUpdaterService).status()).toMatchObject({ shards: 128, durable: true });
  });

  it('leaves the app to a test that makes it itself', async () => {
    harness = new MississippiHarness({ totalCount: 4 });
    const module = await harness.install(Test.createTestingModule({ imports: [AppModule] })).compile();
    const app = module.createNestApplication();
    await app.init();
    await harness.send('a', { n: 1 });
    await harness.settled();
    expect(harness.outcomes('a')).toEqual(['handled']);
    expect(app.get(DataUpdaterService).status().shards).toBe(4);
    await app.close();
  });

  it('lets such an app close while a callback does not end', async () => {
    @MessageHandler()
    class Endless {
      handleMessage = (): Promise<void> => new Promise(() => undefined);
    }
    harness = new MississippiHarness();
    const builder = Test.createTestingModule({ imports: [MississippiModule.forRoot()], providers: [Endless] });
    const module = await harness.install(builder.setLogger(SILENT)).compile();
    const app = module.createNestApplication({ logger: SILENT });
    await app.init();
    await harness.send('a', 1);
    await harness.advance(0);
    await app.close();
    expect(harness.clock.now()).toBeGreaterThanOrEqual(30_000); // drainTimeout
  });
});

describe('What a test sees', () => {
  beforeEach(() => start());

  it('sends messages and signals, and sees outcomes and states', async () => {
    const id = await harness.send('a', { n: 1 }, { type: 'created' });
    await harness.settled();
    expect(await harness.signal('a', 'seen')).toBe(1);
    expect(harness.outcomes('a')).toEqual(['handled']);
    expect(await harness.state('a')).toEqual({ seen: 1 });
    expect(await harness.state('b')).toBeUndefined();
    expect(harness.journal.map(({ type }) => type)).toEqual([
      'sent',
      'started',
      'attemptStarted',
      'handled',
      'signalled',
    ]);
    expect(harness.journal).toContainEqual(expect.objectContaining({ type: 'handled', messageId: id, at: 0 }));
  });

  it('sees what was published, in its place among everything, and that it was handled', async () => {
    await harness.send('a', { n: 1 }, { type: 'forward' });
    await harness.settled();
    expect(harness.published()).toEqual([
      expect.objectContaining({ key: 'a-next', payload: { n: 2 }, type: 'forwarded', instance: 'default' }),
    ]);
    const story = harness.journal.map((entry) => [entry.type, 'key' in entry ? entry.key : '']);
    expect(story).toEqual([
      ['sent', 'a'],
      ['started', 'a'],
      ['attemptStarted', 'a'],
      ['published', 'a-next'],
      ['started', 'a-next'],
      ['attemptStarted', 'a-next'],
      ['handled', 'a-next'],
      ['handled', 'a'],
    ]);
  });

  it('sees dead letters, and why', async () => {
    await harness.send('a', { n: -1 }, { type: 'created', messageId: 'm' });
    await harness.settled();
    expect(harness.outcomes('a')).toEqual(['discarded', 'deadLettered']);
    expect(harness.deadLetters()).toMatchObject([
      {
        key: 'a',
        payload: { n: -1 },
        reason: 'discarded',
        error: 'negative',
        type: 'created',
        messageId: 'm',
        attempts: 1,
      },
    ]);
  });

  it('sees parked keys, which are settled', async () => {
    await harness.send('a', { n: 1 });
    await harness.settled();
    await harness.get(DataUpdaterService).park('a');
    await harness.send('a', { n: 2 });
    await harness.settled();
    expect(harness.parked()).toEqual([{ key: 'a', messages: 1, lastError: undefined }]);
    await harness.get(DataUpdaterService).resume('a');
    await harness.settled();
    expect(ledger.booked).toEqual([1, 2]);
  });

  it('sees why a key was parked, until it is resumed or that message is dropped', async () => {
    await harness.close();
    const imports = [MississippiModule.forRoot({ failurePolicy: { attempts: 1, onExhausted: 'park' } })];
    const builder = Test.createTestingModule({ imports, providers: [OrderHandler, Ledger] }).setLogger(SILENT);
    harness = await MississippiHarness.create(builder);
    const cause = new Error('no such customer');
    const service = harness.get(DataUpdaterService);
    for (const end of ['drop', 'resume'] as const) {
      harness.fail('a', { error: cause });
      await harness.send('a', { n: 1 });
      await harness.settled();
      await harness.send('a', { n: 2 });
      await harness.settled();
      expect(harness.parked()).toEqual([{ key: 'a', messages: 2, lastError: cause }]);
      await service[end]('a');
      expect(harness.parked().map(({ lastError }) => lastError)).toEqual([undefined]);
      if (end === 'drop') await service.resume('a');
      await harness.settled();
      expect(harness.parked()).toEqual([]);
    }
  });

  it('waits for what runs after a message was settled', async () => {
    await harness.send('a', { n: 7 });
    await harness.settled();
    expect(ledger.booked).toEqual([7, 'continued']);
  });
});

test('what is published may be recorded only', async () => {
  await start({ deliver: ({ type }) => type !== 'forwarded' });
  await harness.send('a', { n: 1 }, { type: 'forward' });
  await harness.settled();
  expect(harness.published()).toHaveLength(1);
  expect(harness.outcomes('a-next')).toEqual([]);
});

describe('Time', () => {
  beforeEach(() => start());

  it('stands still: what waits for it is told with its key', async () => {
    ledger.failures = 1;
    await harness.send('a', { n: 1 }, { messageId: 'm' });
    await expect(harness.settled()).rejects.toThrow(
      /^Not settled:\n {2}1 message of the key "?a"? waits for attempt 2, message m, after: Error: the ledger is closed\nTime stands still, and the next timer is due in 100 ms/,
    );
    await harness.advance(99);
    expect(harness.outcomes('a')).toEqual(['retried']);
    await harness.advance(1);
    await harness.settled();
    expect(harness.outcomes('a')).toEqual(['retried', 'handled']);
  });

  it('may pass while it is waited for', async () => {
    ledger.failures = 3;
    await harness.send('a', { n: 1 });
    await harness.settled({ advance: 10_000 });
    expect(harness.outcomes('a')).toEqual(['retried', 'retried', 'exhausted', 'deadLettered']);
    expect(harness.clock.now()).toBe(300);
  });

  it('deactivates idle keys', async () => {
    await harness.send('a', { n: 1 });
    await harness.settled();
    await harness.advance(3 * 3_600_000);
    expect(harness.journal.at(-1)).toMatchObject({ type: 'deactivated', key: 'a', reason: 'idle' });
  });

  it('passes forward only, and by what can be counted', async () => {
    await harness.advance(5);
    for (const milliseconds of [-1, NaN, Infinity]) {
      await expect(harness.advance(milliseconds)).rejects.toThrow(RangeError);
      await expect(harness.settled({ advance: milliseconds })).rejects.toThrow(RangeError);
    }
    expect(harness.clock.now()).toBe(5);
  });

  it('says that it cannot pass, where something is repeated without a delay', async () => {
    await harness.close();
    const failurePolicy = { attempts: Infinity, backoff: { initial: 0, max: 0 } };
    const imports = [MississippiModule.forRoot({ failurePolicy })];
    const builder = Test.createTestingModule({ imports, providers: [OrderHandler, Ledger] }).setLogger(SILENT);
    harness = await MississippiHarness.create(builder);
    harness.get(Ledger).failures = Infinity;
    await harness.send('a', { n: 1 });
    const error: unknown = await harness.settled({ advance: 1_000 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NotSettledError);
    expect(String(error)).toMatch(
      /1 message of the key "a" .*\nTime cannot pass beyond 0 ms: .* whose backoff is 0\.$/s,
    );
    await expect(harness.advance(1_000)).rejects.toThrow('Time cannot pass beyond 0 ms');
  });

  it('abandons what does not end', async () => {
    const { reached } = harness.hang('a');
    await harness.send('a', { n: 1 });
    await reached;
    await harness.advance(301_000);
    expect(harness.outcomes('a')).toEqual(['abandoned', 'retried']);
    await harness.settled({ advance: 1_000 });
    expect(harness.outcomes('a')).toEqual(['abandoned', 'retried', 'handled']);
  });
});

describe('Faults', () => {
  beforeEach(() => start());

  it('says which callback hangs, at once where the test wanted it', async () => {
    const { release } = harness.hang('a');
    await harness.send('a', { n: 1 }, { messageId: 'm' });
    await harness.send('a', { n: 2 });
    const error = await harness.settled().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NotSettledError);
    expect(String(error)).toContain('handleMessage of the key "a" has not ended, message m, attempt 1');
    expect(String(error)).toContain('release it');
    release();
    await harness.settled();
    expect(ledger.booked).toEqual([1, 2]);
  });

  it('crashes before the work, and the message comes again', async () => {
    const { reached, release } = harness.hang('a');
    await harness.send('a', { n: 1 });
    await reached;
    await harness.crash();
    release();
    await expect(harness.send('a', { n: 2 })).rejects.toMatchObject({ code: 'not_started' });
    await expect(harness.settled()).rejects.toThrow(/1 message not handled\nThe app has crashed/);
    expect(harness.journal.at(-1)).toMatchObject({ type: 'crashed' });
    await harness.restart();
    await harness.settled();
    expect(ledger.booked).toEqual(['again 1']);
  });

  it('names signals that wait', async () => {
    const { reached, release } = harness.hang('a');
    await harness.send('a', { n: 1 });
    await reached;
    const answer = harness.signal('a');
    await expect(harness.settled()).rejects.toThrow('1 signal of the key "a" not begun');
    release();
    await harness.settled();
    expect(await answer).toBe(1);
  });

  it('crashes between the work and its settlement', async () => {
    await harness.send('a', { n: 1 });
    await harness.settled();
    const { reached } = harness.hang('a', { at: 'end' });
    await harness.send('a', { n: 2 });
    await reached;
    await harness.crashAndRestart();
    await harness.settled();
    expect(ledger.booked).toEqual([1, 2, 'again 2']);
    expect(await harness.state('a')).toEqual({ seen: 1 });
    expect(await harness.signal('a')).toBe(1);
  });

  it('loses a shard: what runs settles nothing', async () => {
    const { reached, release } = harness.hang('a', { at: 'end' });
    await harness.send('a', { n: 1 });
    await reached;
    harness.loseShard('a');
    release();
    await harness.settled();
    expect(harness.journal.map(({ type }) => type)).toContain('shardLost');
    // It comes again, and this process knows that it has handled it.
    expect(harness.outcomes('a')).toEqual(['skipped']);
    expect(ledger.booked).toEqual([1]);
  });

  it('loses a shard before the work: the message is handled in the next epoch', async () => {
    const { reached, release } = harness.hang('a');
    await harness.send('a', { n: 1 });
    await reached;
    harness.loseShard('a');
    harness.fail('a');
    release();
    await harness.settled({ advance: 1_000 });
    expect(ledger.booked).toEqual(['again 1']);
  });

  it('delivers once more, and publishes twice', async () => {
    const id = await harness.send('a', { n: 1 });
    await harness.settled();
    harness.redeliver(id);
    harness.duplicate(id);
    await harness.settled();
    expect(ledger.booked).toEqual([1, 'again 1', 1]);
    expect(() => harness.redeliver('unknown')).toThrow('No message with the id unknown');
  });

  it('lets init fail', async () => {
    harness.fail('a', { callback: 'init', times: 2 });
    await harness.send('a', { n: 1 });
    await harness.settled({ advance: 1_000 });
    expect(harness.journal.filter(({ type }) => type === 'startFailed')).toHaveLength(2);
    expect(harness.outcomes('a')).toEqual(['handled']);
  });

  it('sends the broker away: publishes wait, and what runs is lost', async () => {
    await harness.send('a', { n: 1 });
    await harness.settled();
    harness.brokerAway();
    expect(harness.get(DataUpdaterService).status().transport).toMatchObject({ connected: false });
    const sent = harness.send('a', { n: 2 });
    await expect(harness.settled()).rejects.toThrow(/1 publish not confirmed\nThe broker is away/);
    harness.brokerBack();
    await sent;
    await harness.settled();
    expect(ledger.booked).toEqual([1, 2]);
    expect(await harness.state('a')).toEqual({ seen: 1 });
    expect(harness.journal.slice(3).map(({ type }) => type)).toEqual([
      'handled',
      'brokerAway',
      'deactivated',
      'brokerBack',
      'sent',
      'started',
      'attemptStarted',
      'handled',
    ]);
  });

  it('lets publishes time out, or fail at once', async () => {
    harness.brokerAway();
    const late = harness.send('a', { n: 1 }).catch((error: unknown) => error);
    await harness.advance(30_000);
    expect(await late).toMatchObject({ code: 'publish_timeout' });
    harness.brokerBack();
    harness.brokerAway('reject');
    await expect(harness.send('a', { n: 2 })).rejects.toMatchObject({ code: 'publish_failed' });
    harness.brokerBack();
    await harness.settled();
    expect(ledger.booked).toEqual([]);
  });
});

test('a callback that does not end by itself is named after a while', async () => {
  @MessageHandler()
  class Endless implements DataUpdaterHandler {
    handleMessage(): Promise<void> {
      return new Promise(() => undefined);
    }
  }
  const metadata = { imports: [MississippiModule.forRoot()], providers: [Endless] };
  harness = await MississippiHarness.create(Test.createTestingModule(metadata));
  await harness.send('a', 1);
  await expect(harness.settled({ within: 50 })).rejects.toThrow(
    /^Not settled within 50 ms:\n {2}handleMessage of the key "a" has not ended/,
  );
});

test('a process that is gone does nothing more: its time-outs are over too', async () => {
  const error = jest.fn();
  const logger = { log: () => undefined, warn: () => undefined, error };
  harness = await MississippiHarness.create(Test.createTestingModule({ imports: [AppModule] }).setLogger(logger));
  const { reached } = harness.hang('a');
  await harness.send('a', { n: 1 });
  await reached;
  await harness.crashAndRestart();
  await harness.settled();
  await harness.advance(600_000);
  expect(harness.outcomes('a')).toEqual(['handled']);
  expect(error).not.toHaveBeenCalled();
});

describe('With a store', () => {
  @MessageHandler({ instance: 'accounts' })
  class AccountHandler implements DataUpdaterHandler<number, number> {
    init(): number {
      return 0;
    }

    handleMessage(amount: number, balance: number, context: MessageContext) {
      context.publish({ was: balance }, { shardingKey: context.key, type: 'booked' });
      return ack(balance + amount);
    }

    handleSignal(_signal: unknown, balance: number, _context: CallbackContext): number {
      return balance;
    }
  }

  beforeEach(async () => {
    const store = memoryStore();
    const accounts = MississippiModule.forRoot({ name: 'accounts', store, transport: AWAY });
    const audit = MississippiModule.forRoot({ name: 'audit', producerOnly: true, transport: AWAY });
    const metadata = { imports: [accounts, audit], providers: [AccountHandler] };
    harness = await MississippiHarness.create(Test.createTestingModule(metadata), { deliver: false });
  });

  it('each instance has its own', async () => {
    expect(() => harness.deadLetters()).toThrow(/the app has accounts, audit/);
    expect(() => harness.instance('other').deadLetters()).toThrow('There is no instance other');
    const accounts = harness.instance('accounts');
    await accounts.send('a', 5);
    await harness.instance('audit').send('a', 'recorded');
    await harness.settled();
    expect(accounts.outcomes('a')).toEqual(['handled']);
    expect(accounts.published()).toMatchObject([{ key: 'a', payload: { was: 0 }, type: 'booked' }]);
    expect(harness.instance('audit').journal.map(({ type }) => type)).toEqual(['sent']);
  });

  it('states outlive a crash, and what is redelivered is recognised', async () => {
    const accounts = harness.instance('accounts');
    const id = await accounts.send('a', 5);
    await harness.settled();
    await harness.crashAndRestart();
    expect(await accounts.state('a')).toBe(5);
    accounts.redeliver(id);
    await harness.settled();
    expect(await accounts.signal('a')).toBe(5);
    expect(accounts.outcomes('a')).toEqual(['handled', 'skipped']);
  });

  it('what runs at a crash is not committed', async () => {
    const accounts = harness.instance('accounts');
    const { reached } = accounts.hang('a', { at: 'end' });
    await accounts.send('a', 5);
    await reached;
    await harness.crash();
    expect(accounts.published()).toEqual([]);
    await harness.restart();
    await harness.settled();
    expect(await accounts.state('a')).toBe(5);
    expect(accounts.published()).toHaveLength(1);
  });
});

test('what is published in a transaction of a service is left to do until the relay has moved it', async () => {
  const database = new MemoryStoreDatabase();
  @MessageHandler()
  class Counter implements DataUpdaterHandler<number> {
    handleMessage(_payload: unknown, count: number | null) {
      return ack((count ?? 0) + 1);
    }
  }
  const metadata = {
    imports: [MississippiModule.forRoot({ store: memoryStore({ database }) })],
    providers: [Counter],
  };
  harness = await MississippiHarness.create(Test.createTestingModule(metadata), { store: 'own' });
  const transaction = database.begin();
  await harness.get(EventsProducer).publish(1, { shardingKey: 'a', transaction });
  await harness.settled();
  await transaction.commit();
  await expect(harness.settled()).rejects.toThrow(/1 message committed and not published\nTime stands still/);
  await harness.settled({ advance: 250 });
  expect(harness.outcomes('a')).toEqual(['handled']);
  expect(await harness.state('a')).toBe(1);
});

test('the fake timers of a test runner stop nothing', async () => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
  try {
    await start();
    await harness.send('a', { n: 1 });
    await harness.settled();
    expect(harness.outcomes('a')).toEqual(['handled']);
  } finally {
    jest.useRealTimers();
  }
});
