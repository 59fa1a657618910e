import {
  DataUpdaterService,
  MessageHandler,
  MississippiModule,
  OwnKeyError,
  SignalTimeoutError,
  type DataUpdaterHandler,
} from '@mississippi/core';
import { toArray, filter, map, take, firstValueFrom } from 'rxjs';
import { closeApps, producerOf, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);

/** How a handler reaches the service that nothing injects. */
const outside: { service?: DataUpdaterService } = {};

@MessageHandler({ failurePolicy: { attempts: 3, backoff: { initial: 0 } } })
class Outsider implements DataUpdaterHandler {
  async handleMessage(): Promise<void> {
    await Promise.resolve();
    await outside.service!.handleSignal('k', 'me', { timeout: 20 });
  }
  handleSignal(): void {}
}

test('a handler that nobody followed waits for its own key until the time-out once, and gets the typed error from then on', async () => {
  const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Outsider] });
  const service = (outside.service = serviceOf(app));
  const errors = firstValueFrom(
    service.events.pipe(
      filter((event) => event.type === 'retried' || event.type === 'exhausted'),
      map(({ error }) => error),
      take(3),
      toArray(),
    ),
  );
  await producerOf(app).publish('x', { shardingKey: 'k' });
  const [first, second, third] = await errors;
  expect(first).toBeInstanceOf(SignalTimeoutError);
  expect(second).toBeInstanceOf(OwnKeyError);
  expect(third).toBeInstanceOf(OwnKeyError);
});
