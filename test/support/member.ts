import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  ack,
  DataUpdaterService,
  EventsProducer,
  MessageHandler,
  MississippiModule,
  reply,
  type DataUpdaterHandler,
  type MessageContext,
} from '@mississippi/core';
import { rabbitmq, type RabbitMqOptions } from '@mississippi/rabbitmq';

/** What a member of the river saw, in order. */
export interface Seen {
  readonly member: string;
  readonly key: string;
  readonly n: number;
}

@MessageHandler()
class MemberHandler implements DataUpdaterHandler<number, { n: number }, string, { ask?: string }> {
  name = '';
  service!: DataUpdaterService;
  seen: Seen[] = [];
  work: () => Promise<void> = () => Promise.resolve();

  init(): number {
    return 0;
  }

  async handleMessage({ n }: { n: number }, count: number, context: MessageContext) {
    await this.work();
    this.seen.push({ member: this.name, key: context.key, n });
    return ack(count + 1);
  }

  async handleSignal(signal: { ask?: string }, count: number) {
    if (signal.ask === 'fail') throw Object.assign(new RangeError('out of range'), { code: 'E_RANGE' });
    if (signal.ask === 'complain') throw new Error('x'.repeat(1_000));
    if (signal.ask === 'fill') return 'x'.repeat(1_000);
    if (signal.ask?.startsWith('relay ') === true) {
      const [next, ...rest] = signal.ask.slice('relay '.length).split(' ');
      return this.service.handleSignal(next!, rest.length > 0 ? { ask: `relay ${rest.join(' ')}` } : {});
    }
    if (signal.ask === 'hang') await new Promise(() => undefined);
    if (signal.ask === 'add') return reply({ member: this.name, count: count + 1 }, count + 1);
    return { member: this.name, count };
  }
}

/** One app on the river; several in a process behave as several processes do, since each has connections of its own. */
export class Member {
  private constructor(
    readonly name: string,
    private readonly app: INestApplicationContext,
  ) {}

  static async start(
    name: string,
    options: RabbitMqOptions,
    seen: Seen[] = [],
    work: () => Promise<void> = () => Promise.resolve(),
  ): Promise<Member> {
    const transport = rabbitmq(options);
    const module = await Test.createTestingModule({
      imports: [MississippiModule.forRoot({ transport, drainTimeout: 100 })],
      providers: [MemberHandler],
    })
      .setLogger({ log: () => undefined, warn: () => undefined, error: () => undefined })
      .compile();
    const handler = module.get(MemberHandler);
    handler.name = name;
    handler.service = module.get(DataUpdaterService);
    handler.seen = seen;
    handler.work = work;
    return new Member(name, await module.init());
  }

  get service(): DataUpdaterService {
    return this.app.get(DataUpdaterService);
  }

  get producer(): EventsProducer {
    return this.app.get(EventsProducer);
  }

  get shards(): number {
    return this.service.status().shards;
  }

  async stop(): Promise<void> {
    await this.app.close();
  }
}

/** Resolves when a condition holds; asks again at each round of the event loop's timers. Says what it awaited. */
export async function until(what: () => string, holds: () => boolean, milliseconds = 20_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${milliseconds} ms: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
