import { EventEmitter } from 'node:events';
import { systemClock } from '@mississippi/core/transport';
import type { Channel, ConsumeMessage } from 'amqplib';
import { LetterPage } from '../src/dead-letters/letter-page.js';

/** A quorum queue of RabbitMQ 3.10, as its reader sees it: empty at once, and what it has given away arrives behind that answer. */
class LateQueue extends EventEmitter {
  private deliver: (message: ConsumeMessage) => void = () => undefined;

  constructor(private readonly left: string[]) {
    super();
  }

  prefetch(): Promise<void> {
    return Promise.resolve();
  }

  consume(_queue: string, deliver: (message: ConsumeMessage) => void): Promise<{ consumerTag: string }> {
    this.deliver = deliver;
    return Promise.resolve({ consumerTag: 'tag' });
  }

  checkQueue(): Promise<{ messageCount: number }> {
    setTimeout(() => {
      for (const messageId of this.left.splice(0)) this.deliver(messageOf(messageId));
    }, 20);
    return Promise.resolve({ messageCount: 0 });
  }
}

function messageOf(messageId: string): ConsumeMessage {
  const fields = { consumerTag: 'tag', deliveryTag: 1, redelivered: false, exchange: '', routingKey: '' };
  return { content: Buffer.from('{}'), fields, properties: { messageId, headers: {} } } as unknown as ConsumeMessage;
}

test('letters that arrive behind the answer that their queue is empty are waited for', async () => {
  const channel = new LateQueue(['1', '2']) as unknown as Channel;
  const page = new LetterPage(channel, 'dead_letters', systemClock);
  await page.begin();
  expect(await page.more()).toBe(true);
  expect([page.take()?.messageId, page.take()?.messageId]).toEqual(['1', '2']);
});

test('letters that somebody else has taken meanwhile are not waited for without end', async () => {
  const page = new LetterPage(new LateQueue([]) as unknown as Channel, 'dead_letters', systemClock);
  await page.begin();
  expect(await page.more()).toBe(false);
});
