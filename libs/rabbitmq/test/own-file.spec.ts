import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ownFile } from '../src/connection/own-file.js';

/** Jest names modules by path, Node ES modules by URL. */
const path = (file: string): string => (file.startsWith('file:') ? fileURLToPath(file) : file);

test('the file is found, whatever an app does to stacks, and that is put back', () => {
  const { stackTraceLimit } = Error;
  const prepare: unknown = Reflect.get(Error, 'prepareStackTrace');
  const mine = (): string => 'mine';
  try {
    Error.prepareStackTrace = mine;
    Error.stackTraceLimit = 0;
    expect(path(ownFile())).toMatch(/[\\/]connection[\\/]own-file\.[jt]s$/);
    expect(Reflect.get(Error, 'prepareStackTrace')).toBe(mine);
    expect(Error.stackTraceLimit).toBe(0);
  } finally {
    Reflect.set(Error, 'prepareStackTrace', prepare);
    Error.stackTraceLimit = stackTraceLimit;
  }
  expect(createRequire(ownFile()).resolve('amqplib')).toContain('amqplib');
});
