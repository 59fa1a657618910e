import { isObservable } from 'rxjs';
import {
  DataUpdaterService,
  EventsProducer,
  getDataUpdaterServiceToken,
  getEventsProducerToken,
  MessageHandler,
  MississippiModule,
  OwnKeyError,
  type DataUpdaterHandler,
} from '@mississippi/core';
import { closeApps, next, producerOf, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);

@MessageHandler()
class Counter implements DataUpdaterHandler<number> {
  init(): number {
    return 0;
  }
  handleMessage(): void {}
  handleSignal(): string {
    return 'answer';
  }
}

/** What an application may put around a service: it changes nothing. */
const WRAPPERS: [string, <T extends object>(service: T) => T][] = [
  ['a proxy', (service) => new Proxy(service, {})],
  ['a proxy around a proxy', (service) => new Proxy(new Proxy(service, {}), {})],
  [
    'a proxy that binds methods',
    (service) =>
      new Proxy(service, {
        get: (target, name, receiver) => {
          const value: unknown = Reflect.get(target, name, receiver);
          return typeof value === 'function' ? (value.bind(receiver) as unknown) : value;
        },
      }),
  ],
  ['an object that inherits from it', <T extends object>(service: T) => Object.create(service) as T],
];

describe.each(WRAPPERS)('through %s', (_name, wrap) => {
  test('every member of DataUpdaterService works', async () => {
    const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Counter] });
    const service = wrap(serviceOf(app));
    expect(service).toBeInstanceOf(DataUpdaterService);
    expect(await service.handleSignal('k', 1)).toBe('answer');
    expect(await service.handleMessage('k', { payload: 1 })).toMatchObject({ kind: 'ack' });
    expect(await service.getDataUpdater('k')).toMatchObject({ key: 'k', alive: true, shard: service.shardOf('k') });
    expect([...service.liveKeys()]).toHaveLength(1);
    expect(service.status()).toMatchObject({ liveKeys: 1 });
    expect(await service.processes()).toHaveLength(1);
    expect(isObservable(service.events)).toBe(true);
    const parked = next(service, 'parked');
    await service.park('k');
    await producerOf(app).publish('x', { shardingKey: 'k' });
    await parked;
    await service.drop('k');
    await service.resume('k');
    await expect(service.drop('other')).rejects.toMatchObject({ code: 'key_not_parked' });
  });

  test('EventsProducer publishes and refuses', async () => {
    const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Counter] });
    const producer = wrap(producerOf(app));
    expect(producer).toBeInstanceOf(EventsProducer);
    const handled = next(serviceOf(app), 'handled');
    await producer.publish('x', { shardingKey: 'k' });
    await handled;
    await expect(producer.publish('x', { shardingKey: '' })).rejects.toMatchObject({ code: 'missing_sharding_key' });
  });

  test('a handler that asks its own key gets the typed error at its first call', async () => {
    const errors: unknown[] = [];
    class Wrapped {
      constructor(readonly value: DataUpdaterService) {}
    }
    @MessageHandler()
    class Asking implements DataUpdaterHandler {
      constructor(private readonly service: Wrapped) {}
      async handleMessage(): Promise<void> {
        await this.service.value.handleSignal('k', 1, { timeout: 5_000 }).catch((error: unknown) => errors.push(error));
      }
      handleSignal(): void {}
    }
    const wrapped = {
      provide: Wrapped,
      useFactory: (service: DataUpdaterService) => new Wrapped(wrap(service)),
      inject: [getDataUpdaterServiceToken()],
    };
    const asking = {
      provide: Asking,
      useFactory: (service: Wrapped) => new Asking(service),
      inject: [Wrapped],
    };
    const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [wrapped, asking] });
    const handled = next(serviceOf(app), 'handled');
    await app.get<EventsProducer>(getEventsProducerToken(), { strict: false }).publish('x', { shardingKey: 'k' });
    await handled;
    expect(errors).toEqual([expect.any(OwnKeyError)]);
  });
});
