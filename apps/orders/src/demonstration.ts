import { randomBytes } from 'node:crypto';
import { DataUpdaterService } from '@mississippi/core';
import type { INestApplicationContext } from '@nestjs/common';
import { filter, lastValueFrom, take, timeout, toArray } from 'rxjs';
import { OrderHandler } from './order.handler.js';

/** What the orders must be in the end, and how many of their messages are refused on the way. */
const EXPECTED = {
  book: { history: ['open', 'paid', 'shipped'], due: 0, refused: 0 },
  lamp: { history: ['open', 'paid', 'cancelled'], due: 0, refused: 1 },
  sofa: { history: ['open'], due: 40_000, refused: 1 },
};
const MESSAGES = 11;

/** How long to wait for the next of them, in milliseconds. */
const PATIENCE = 60_000;

/** Three lives at once, each by its client. Tells whether all came out as they must; `print` gets the lines for people. */
export async function demonstrate(app: INestApplicationContext, print: (line: string) => void): Promise<boolean> {
  const dataUpdaters = app.get(DataUpdaterService, { strict: false });
  // Over a broker that is shared, each run has orders of its own.
  const run = randomBytes(3).toString('hex');
  const order = (name: string) => dataUpdaters.for(OrderHandler).key(`${name}-${run}`);
  const [book, lamp, sofa] = [order('book'), order('lamp'), order('sofa')];
  const ended = lastValueFrom(
    dataUpdaters.events.pipe(
      filter((event) => event.type === 'handled' || event.type === 'discarded'),
      filter(({ key }) => typeof key === 'string' && key.endsWith(`-${run}`)),
      take(MESSAGES),
      timeout(PATIENCE),
      toArray(),
    ),
  );

  await book.publish('order.created', { customer: 'ann', cents: 1_500 });
  await lamp.publish('order.created', { customer: 'bob', cents: 8_000 });
  await sofa.publish('order.created', { customer: 'cyd', cents: 90_000 });
  await book.publish('order.paid', { cents: 1_500 });
  await lamp.publish('order.paid', { cents: 5_000 });
  await sofa.publish('order.paid', { cents: 50_000 });
  await lamp.publish('order.paid', { cents: 3_000 });
  await sofa.publish('order.shipped', { parcel: 'P-3' }); // not before all is paid
  await lamp.publish('order.cancelled', { reason: 'too bright' });
  await book.publish('order.shipped', { parcel: 'P-1' });
  await lamp.publish('order.shipped', { parcel: 'P-2' }); // not what was cancelled

  const events = await ended;
  let right = true;
  for (const [name, expected] of Object.entries(EXPECTED)) {
    const { history, due } = await order(name).look();
    const refusals = events.flatMap((event) =>
      event.type === 'discarded' && event.key === `${name}-${run}` ? [event.reason] : [],
    );
    print(`${name}: ${history.join(' > ')}, ${due} cents due${refusals.map((why) => `; refused: ${why}`).join('')}`);
    right &&= JSON.stringify({ history, due, refused: refusals.length }) === JSON.stringify(expected);
  }
  return right;
}
