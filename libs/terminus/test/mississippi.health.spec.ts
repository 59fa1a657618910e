import {
  type DataUpdaterHandler,
  DataUpdaterService,
  type EngineStatus,
  getDataUpdaterServiceToken,
  memory,
  MessageHandler,
  MississippiModule,
} from '@mississippi/core';
import type { INestApplicationContext } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { InstanceNotFoundError, MississippiHealthIndicator, type MississippiHealthOptions } from '../src/index.js';

const HEALTHY: EngineStatus = {
  transport: { connected: true, blocked: false, shards: 128 },
  durable: true,
  shards: 128,
  stalledShards: [],
  liveKeys: 3,
  runningAttempts: 0,
  waitingMessages: 0,
  backoffs: 0,
  failingInits: 0,
  parkedKeys: 0,
  parkedMessages: 0,
  oldestHead: 0,
};

/** Terminus 11 knows nothing between up and down. */
const DEGRADED = 'degraded' in new HealthIndicatorService().check('any') ? 'degraded' : 'up';

const FIGURES = {
  connected: true,
  blocked: false,
  shards: 128,
  stalledShards: [],
  failingInits: 0,
  parkedKeys: 0,
  withoutProgress: 0,
};

describe('The health of an instance by its status', () => {
  async function check(status: Partial<EngineStatus>, options?: MississippiHealthOptions) {
    const module = await Test.createTestingModule({
      imports: [TerminusModule],
      providers: [
        MississippiHealthIndicator,
        { provide: DataUpdaterService, useValue: { status: () => ({ ...HEALTHY, ...status }) } },
      ],
    }).compile();
    return module.get(MississippiHealthIndicator).check('river', options);
  }

  it('is up when nothing waits for help, and tells the figures', async () => {
    expect(await check({})).toEqual({ river: { status: 'up', ...FIGURES } });
  });

  const { transport } = HEALTHY;
  it.each<[Partial<EngineStatus>, string, object]>([
    [{ transport: { ...transport, connected: false } }, 'the transport is not connected', { connected: false }],
    [{ transport: { ...transport, blocked: true } }, 'the broker takes no messages', { blocked: true }],
    [{ stalledShards: [3, 7] }, 'shards whose side queue is full: 3, 7', { stalledShards: [3, 7] }],
  ])('is down with the reason: %j', async (status, problem, figures) => {
    expect(await check(status)).toEqual({
      river: { status: 'down', problems: [problem], ...FIGURES, ...figures },
    });
  });

  it('is degraded when single keys cannot go on, and says where to look', async () => {
    const problem = 'keys whose init fails: 2; see state and lastError in liveKeys()';
    expect(await check({ failingInits: 2 })).toEqual({
      river: { status: DEGRADED, problems: [problem], ...FIGURES, failingInits: 2 },
    });
  });

  it('is degraded while a message of the outbox waits for too long, and says where to and why', async () => {
    const oldest = { age: 90_000, destination: '"secret"', shard: 7, problem: 'the queue is full' };
    const store = { connected: true, messagesWithoutId: 0, outbox: { waiting: 2, oldest } };
    const figures = { ...FIGURES, storeConnected: true, outboxWaiting: 2, outboxOldest: 90_000 };
    expect(await check({ store })).toEqual({ river: { status: 'up', ...figures } });
    const problem = '2 messages of the outbox wait, the first, to shard 7, for 90000 ms: the queue is full';
    expect(await check({ store }, { maxWithoutProgress: 60_000 })).toEqual({
      river: { status: DEGRADED, problems: [problem], ...figures },
    });
  });

  it('is down where there is more than that, and where it is told to be', async () => {
    expect(await check({ failingInits: 1, stalledShards: [5] })).toMatchObject({ river: { status: 'down' } });
    expect(await check({ failingInits: 1 }, { degradedBy: [] })).toMatchObject({ river: { status: 'down' } });
    expect(await check({ stalledShards: [5] }, { degradedBy: ['stalledShards'] })).toMatchObject({
      river: { status: DEGRADED },
    });
  });

  it('names every problem at once', async () => {
    const result = await check({ failingInits: 1, stalledShards: [5] });
    expect(result.river).toMatchObject({ problems: [expect.stringContaining('5'), expect.stringContaining('init')] });
  });

  it('stays up with parked keys, which somebody wanted', async () => {
    expect(await check({ parkedKeys: 4 })).toEqual({ river: { status: 'up', ...FIGURES, parkedKeys: 4 } });
  });

  it('takes any time without progress, unless a limit was given', async () => {
    const oldestHead = 60_000.4;
    const figures = { ...FIGURES, withoutProgress: 60_000 };
    expect(await check({ oldestHead })).toEqual({ river: { status: 'up', ...figures } });
    expect(await check({ oldestHead }, { maxWithoutProgress: 60_001 })).toEqual({
      river: { status: 'up', ...figures },
    });
    expect(await check({ oldestHead }, { maxWithoutProgress: 60_000 })).toEqual({
      river: {
        status: DEGRADED,
        problems: ['no progress of some key for 60000 ms; see state and lastError in liveKeys()'],
        ...figures,
      },
    });
  });
});

@MessageHandler()
class SteadyHandler implements DataUpdaterHandler<null, unknown> {
  init(): null {
    return null;
  }

  handleMessage(): undefined {
    return undefined;
  }
}

@MessageHandler({ instance: 'orders', failurePolicy: { backoff: { initial: 60_000, max: 60_000 } } })
class OrdersHandler extends SteadyHandler {
  override init(): null {
    throw new Error('the table of orders is locked');
  }
}

describe('The health of the instances of an app', () => {
  let app: INestApplicationContext;
  let indicator: MississippiHealthIndicator;

  beforeEach(async () => {
    const module = await Test.createTestingModule({
      imports: [
        MississippiModule.forRoot({ transport: memory() }),
        MississippiModule.forRoot({ name: 'orders', transport: memory() }),
        TerminusModule,
      ],
      providers: [SteadyHandler, OrdersHandler, MississippiHealthIndicator],
    }).compile();
    app = module.enableShutdownHooks();
    app.useLogger(false);
    await app.init();
    indicator = app.get(MississippiHealthIndicator);
  });

  afterEach(async () => app.close());

  it('is that of the default one where none is named', () => {
    const shards = app.get(DataUpdaterService).status().shards;
    expect(shards).toBeGreaterThan(0);
    expect(indicator.check('river')).toEqual({ river: { status: 'up', ...FIGURES, shards } });
  });

  it('is told apart by name: trouble of a key leaves the app in service, unless it is told otherwise', async () => {
    const orders = app.get<DataUpdaterService>(getDataUpdaterServiceToken('orders'));
    await expect(orders.getDataUpdater('order-1')).rejects.toThrow('the table of orders is locked');
    void orders.handleMessage('order-1', { payload: {} }).catch(() => undefined);
    await expect(orders.handleSignal('order-1', {})).rejects.toThrow('the table of orders is locked');

    expect(indicator.check('river')).toMatchObject({ river: { status: 'up' } });
    expect(indicator.check('orders', { instance: 'orders' })).toMatchObject({
      orders: {
        status: DEGRADED,
        problems: ['keys whose init fails: 1; see state and lastError in liveKeys()'],
        failingInits: 1,
      },
    });
    const health = app.get(HealthCheckService);
    const river = () => indicator.check('river');
    await expect(health.check([river, () => indicator.check('orders', { instance: 'orders' })])).resolves.toMatchObject(
      { status: DEGRADED === 'up' ? 'ok' : DEGRADED, details: { orders: { status: DEGRADED } } },
    );
    await expect(
      health.check([river, () => indicator.check('orders', { instance: 'orders', degradedBy: [] })]),
    ).rejects.toMatchObject({ response: { status: 'error', error: { orders: { status: 'down' } } } });
  });

  it('refuses a name that the app does not know', () => {
    const check = () => indicator.check('river', { instance: 'order' });
    expect(check).toThrow(InstanceNotFoundError);
    expect(check).toThrow(/^The app has no instance 'order'.*forRoot\({ name: 'order' }\)/);
  });
});
