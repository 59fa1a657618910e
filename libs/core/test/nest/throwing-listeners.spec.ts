import { MessageHandler, MississippiModule, type DataUpdaterHandler } from '@mississippi/core';
import { jest } from '@jest/globals';
import { Subject } from 'rxjs';
import { closeApps, createApp, Logs, next, producerOf, serviceOf, startApp } from './support/app.js';

afterEach(closeApps);
afterEach(() => jest.restoreAllMocks());

@MessageHandler({ failurePolicy: { attempts: 2, backoff: { initial: 0 } } })
class Failing implements DataUpdaterHandler {
  handleMessage(): void {
    throw new Error('broken');
  }
}

test('a listener that throws is logged, and hears of what comes next', async () => {
  const logs = new Logs();
  const app = await createApp({ imports: [MississippiModule.forRoot()], providers: [Failing] }, logs);
  const heard: string[] = [];
  // From before the start on.
  serviceOf(app).events.subscribe(({ type }) => {
    heard.push(type);
    throw new Error('the listener');
  });
  await app.init();
  const over = next(serviceOf(app), 'deadLettered');
  await producerOf(app).publish('x', { shardingKey: 'k' });
  await over;
  expect(heard.filter((type) => type === 'attemptStarted')).toHaveLength(2);
  expect(logs.errors.filter((line) => line.includes('A listener of the events threw'))).toHaveLength(heard.length);
});

test('the events cannot be told by those who listen', async () => {
  const app = await startApp({ imports: [MississippiModule.forRoot()], providers: [Failing] });
  expect(serviceOf(app).events).not.toBeInstanceOf(Subject);
});

test('a logger that throws ends nothing, from the start to the end', async () => {
  const warned: unknown[] = [];
  jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void warned.push(warning));
  const broken = (): never => {
    throw new Error('the logger');
  };
  const logs = Object.assign(new Logs(), { warn: broken, error: broken });
  const app = await createApp({ imports: [MississippiModule.forRoot()], providers: [Failing] }, logs);
  await app.init();
  await new Promise((resolve) => setImmediate(resolve)); // By then it is told that shutdown hooks are missing.
  const over = next(serviceOf(app), 'deadLettered');
  await producerOf(app).publish('x', { shardingKey: 'k' });
  await over;
  await app.close();
  const ours = warned.filter((warning) => String(warning).startsWith('The logger threw'));
  expect(ours.length).toBeGreaterThan(0);
});
