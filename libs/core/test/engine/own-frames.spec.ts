import { isOwnFrame, ownFolder } from '../../src/engine/base/own-frames.js';

describe('where the library lies', () => {
  test.each([
    [
      'an ES module',
      'file:///app/node_modules/x/dist/',
      '    at file:///app/node_modules/x/dist/engine/base/own-frames.js:6:31',
    ],
    [
      'a path with a space',
      'file:///my%20app/x/dist/',
      '    at file:///my%20app/x/dist/engine/base/own-frames.js:6:31',
    ],
    ['CommonJS', '/app/x/dist/', '    at Object.<anonymous> (/app/x/dist/engine/base/own-frames.js:4:20)'],
    ['Windows', 'C:\\app\\x\\dist\\', '    at Object.<anonymous> (C:\\app\\x\\dist\\engine\\base\\own-frames.js:4:20)'],
    ['source maps', '/app/x/src/', '    at <anonymous> (/app/x/src/engine/base/own-frames.ts:6:31)'],
  ])('is read from a stack: %s', (_, folder, frame) => {
    expect(ownFolder(`Error\n${frame}\n    at ModuleJob.run (node:internal/modules/esm/module_job:343:25)`)).toBe(
      folder,
    );
  });

  test.each([
    ['a bundle', 'Error\n    at file:///app/main.js:1:31'],
    ['no frames', 'Error'],
    ['a stack that somebody prepared', []],
    ['no stack', undefined],
  ])('is not known: %s', (_, stack) => {
    expect(ownFolder(stack)).toBeUndefined();
  });

  test('tells a frame of the library from one of its user', () => {
    let own = '';
    try {
      isOwnFrame(undefined as never);
    } catch (error) {
      own = (error as Error).stack ?? '';
    }
    const [first, second] = own.split('\n').filter((line) => line.trim().startsWith('at '));
    expect(isOwnFrame(first!)).toBe(true);
    expect(isOwnFrame(second!)).toBe(false);
  });
});
