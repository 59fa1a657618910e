import type { Clock, DeadLetterReader, Delivery } from '@mississippi/core/transport';
import type { Channel, ChannelModel } from 'amqplib';
import type { BrokerConnection } from '../connection/broker-connection.js';
import { openChannel } from '../connection/channels.js';
import { pause } from '../connection/timers.js';
import { LetterPage } from './letter-page.js';

/** How long it is waited for the messages of one page to be back in their queue, and how soon to look again. Milliseconds. */
const RETURN_TIMEOUT = 5_000;
const LOOK_AGAIN = 5;

/**
 * Reads a queue page by page, and removes nothing that it is not told to remove: the pages that were read stay open, and what they have not
 * removed waits in the broker. Here is one page at a time, so that a hundred thousand need no more memory than a thousand.
 */
export class QueueReader implements DeadLetterReader {
  private readonly pages: LetterPage[] = [];
  private read = 0;

  constructor(
    private readonly connection: BrokerConnection,
    private readonly model: ChannelModel,
    /** For questions. */
    private readonly channel: Channel,
    private readonly queue: string,
    readonly total: number,
    private readonly clock: Clock,
    /** Whether the queue puts what comes back behind what came back before: quorum queues do (RabbitMQ 3.10). */
    private readonly rotates: boolean,
  ) {}

  async next(): Promise<Delivery | undefined> {
    if (this.read === this.total) return undefined;
    const letter = await this.following(this.pages.at(-1) ?? (await this.turn()));
    if (letter !== undefined) this.read++;
    return letter;
  }

  private async following(page: LetterPage): Promise<Delivery | undefined> {
    const letter = page.take();
    if (letter !== undefined) return letter;
    if (page.isStopped) return this.following(await this.turn());
    if (page.isFull) {
      await page.stop(); // What is removed of it later must bring nothing new to it.
      return this.following(page);
    }
    return (await page.more()) ? page.take() : undefined;
  }

  remove(letter: Delivery): void {
    // Nearly always it is of the last page.
    for (let index = this.pages.length - 1; index >= 0; index--) if (this.pages[index]!.remove(letter)) return;
  }

  /**
   * In the order in which they were read, each when the one before is back: a quorum queue has them in the order in which they return
   * (RabbitMQ 3.10). The broker says that a channel is closed before the queue knows.
   */
  async close(): Promise<void> {
    try {
      if (this.rotates) await this.readOn();
      await this.pages.at(-1)?.stop(); // It would get what the others give back.
      let ready = await this.ready();
      for (const page of this.pages) {
        ready += page.kept;
        await page.close();
        await this.untilBack(ready);
      }
    } finally {
      await this.connection.close();
    }
  }

  /** What comes back stands behind what came back before, and that may be the rest of the queue: so all of it goes round. */
  private async readOn(): Promise<void> {
    for (let next = await this.next(); next !== undefined; next = await this.next());
  }

  /** Somebody else may take them meanwhile: then it is waited for in vain, and not for long. */
  private async untilBack(count: number): Promise<void> {
    const { clock } = this;
    const end = clock.now() + RETURN_TIMEOUT;
    while ((await this.ready()) < count && clock.now() < end) await pause(clock, LOOK_AGAIN);
  }

  private async ready(): Promise<number> {
    return (await this.channel.checkQueue(this.queue)).messageCount;
  }

  private async turn(): Promise<LetterPage> {
    const page = new LetterPage(await openChannel(this.model), this.queue, this.clock);
    this.pages.push(page);
    await page.begin();
    return page;
  }
}
