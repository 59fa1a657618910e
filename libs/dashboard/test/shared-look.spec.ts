import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { jest } from '@jest/globals';
import { EventStream } from '../src/http/event-stream.js';
import { SharedLook } from '../src/live/shared-look.js';

/** A response whose reader reads when it is told to. */
class SlowResponse extends EventEmitter {
  readonly written: string[] = [];
  reads = true;
  writableEnded = false;
  destroyed = false;
  setHeader(): void {
    // Nobody looks at them.
  }
  flushHeaders(): void {
    // Nor for them.
  }
  write(text: string): boolean {
    this.written.push(/data: (.*)/.exec(text)![1]!);
    return this.reads;
  }
  end(): void {
    this.writableEnded = true;
  }
  /** The viewer has left. */
  leave(): void {
    this.destroyed = true;
    this.emit('close');
  }
  readOn(): void {
    this.reads = true;
    this.emit('drain');
  }
}

function open(): { response: SlowResponse; stream: EventStream } {
  const response = new SlowResponse();
  return { response, stream: new EventStream(response as unknown as ServerResponse) };
}

describe('a look that viewers share', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  function start(takes = 0) {
    const looks = { begun: 0, emptied: 0 };
    const look = new SharedLook({
      event: 'seen',
      interval: 1_000,
      waits: 0,
      look: async () => {
        looks.begun++;
        if (takes > 0) await new Promise((resolve) => setTimeout(resolve, takes));
        return looks.begun;
      },
      emptied: () => void looks.emptied++,
    });
    return { look, looks };
  }
  const pass = (time: number) => jest.advanceTimersByTimeAsync(time);

  test('is one for all of them, and each gets what was seen last at once', async () => {
    const { look, looks } = start();
    const [one, other] = [open(), open()];
    look.add(one.stream);
    await pass(1_000);
    look.add(other.stream);
    await pass(1_000);
    expect(looks.begun).toBe(3);
    expect(one.response.written).toEqual(['1', '2', '3']);
    expect(other.response.written).toEqual(['2', '3']);
  });

  test('begins with the first, ends with the last, and begins again', async () => {
    const { look, looks } = start();
    await pass(10_000);
    expect(looks.begun).toBe(0);
    const [one, other] = [open(), open()];
    look.add(one.stream);
    look.add(other.stream);
    await pass(0);
    one.response.leave();
    await pass(1_000);
    expect([looks.begun, looks.emptied]).toEqual([2, 0]);
    other.response.leave();
    await pass(10_000);
    expect([looks.begun, looks.emptied, jest.getTimerCount()]).toEqual([2, 1, 0]);
    look.add(open().stream);
    await pass(0);
    expect(looks.begun).toBe(3);
  });

  test('does not begin for somebody who has left already', async () => {
    const { look, looks } = start();
    const { response, stream } = open();
    response.leave();
    look.add(stream);
    await pass(1_000);
    expect([looks.begun, jest.getTimerCount()]).toEqual([0, 0]);
  });

  test('that somebody leaves and enters meanwhile is not begun twice', async () => {
    const { look, looks } = start(500);
    const one = open();
    look.add(one.stream);
    await pass(100);
    one.response.leave();
    look.add(open().stream);
    await pass(400);
    expect(looks.begun).toBe(1);
  });

  test('that takes long leaves nine times as long in between', async () => {
    const { look, looks } = start(500);
    look.add(open().stream);
    await pass(500 + 4_499);
    expect(looks.begun).toBe(1);
    await pass(1);
    expect(looks.begun).toBe(2);
  });
});

describe('a viewer that does not read', () => {
  test('gets the newest of each kind when it reads again, and what came before is not kept', () => {
    const { response, stream } = open();
    response.reads = false;
    stream.send('seen', 1);
    for (let count = 2; count < 1_000; count++) stream.send('seen', count);
    stream.send('other', 'one');
    expect(response.written).toEqual(['1']);
    response.readOn();
    expect(response.written).toEqual(['1', '999', '"one"']);
    stream.send('seen', 1_000);
    expect(response.written.at(-1)).toBe('1000');
  });

  test('that has left is sent nothing', () => {
    const { response, stream } = open();
    response.leave();
    stream.send('seen', 1);
    expect(response.written).toEqual([]);
  });
});
