import { type Ack, ack, type DataUpdaterHandler } from '@mississippi/core';

/** The handler of every contender: it counts its key's messages. */
export class Counting implements DataUpdaterHandler<number, unknown> {
  async handleMessage(_payload: unknown, state: number | undefined): Promise<Ack<number>> {
    return ack((state ?? 0) + 1);
  }
}
