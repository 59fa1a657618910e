import { Writable } from 'node:stream';
import { setImmediate as nextRound } from 'node:timers/promises';
import { writeTogether } from '../src/wire/write-together.js';

/** A stream that notes what reaches the system, and how. */
function open(): { stream: Writable; calls: string[][] } {
  const calls: string[][] = [];
  const stream = new Writable({
    write(chunk: Buffer, _, callback) {
      calls.push([chunk.toString()]);
      callback();
    },
    writev(chunks, callback) {
      calls.push(chunks.map(({ chunk }) => (chunk as Buffer).toString()));
      callback();
    },
  });
  writeTogether(stream);
  return { stream, calls };
}

describe('writeTogether', () => {
  test('what is written in one go leaves in one call, in order, before the event loop goes on', async () => {
    const { stream, calls } = open();
    for (const text of ['a', 'b', 'c']) stream.write(Buffer.from(text));
    expect(calls).toEqual([]);
    await nextRound();
    expect(calls).toEqual([['a', 'b', 'c']]);
    stream.write(Buffer.from('d'));
    await Promise.resolve();
    stream.write(Buffer.from('e'));
    await nextRound();
    expect(calls.flat()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('says when the stream is full, and drains', async () => {
    const { stream, calls } = open();
    const full = Buffer.alloc(stream.writableHighWaterMark, 'x');
    expect(stream.write(Buffer.from('a'))).toBe(true);
    expect(stream.write(full)).toBe(false);
    await new Promise((resolve) => stream.once('drain', resolve));
    expect(calls).toEqual([['a', full.toString()]]);
    expect(stream.write(Buffer.from('b'))).toBe(true);
  });

  test('an end sends what is left, a destroyed stream takes no harm', async () => {
    const ending = open();
    ending.stream.write(Buffer.from('a'));
    ending.stream.end();
    await new Promise((resolve) => ending.stream.once('finish', resolve));
    expect(ending.calls).toEqual([['a']]);
    const destroyed = open();
    destroyed.stream.write(Buffer.from('a'));
    destroyed.stream.destroy();
    await nextRound();
    expect(destroyed.calls).toEqual([]);
  });
});
