import { PGlite } from '@electric-sql/pglite';
import {
  ack,
  MessageHandler,
  MississippiModule,
  type DataUpdaterHandler,
  type MessageContext,
} from '@mississippi/core';
import { MississippiHarness } from '@mississippi/testing';
import { Test } from '@nestjs/testing';
import { postgres, type SqlClient } from '../src/index.js';

@MessageHandler()
class BookHandler implements DataUpdaterHandler<number, number> {
  init(): number {
    return 0;
  }

  async handleMessage(cents: number, total: number, context: MessageContext) {
    const client = await context.transaction<SqlClient>();
    await client.query('INSERT INTO bookings VALUES ($1, $2)', [context.key, cents]);
    context.publish(cents, { shardingKey: 'audit' });
    return ack(total + cents);
  }
}

describe('The testing kit on a PGlite of the test', () => {
  const pglite = new PGlite();
  let harness: MississippiHarness;

  beforeAll(() => pglite.exec('CREATE TABLE bookings (account text, cents integer)'));
  afterAll(() => pglite.close());

  beforeEach(async () => {
    await pglite.exec('DROP SCHEMA IF EXISTS mississippi CASCADE; TRUNCATE bookings');
    const imports = [MississippiModule.forRoot({ store: postgres({ pglite }) })];
    const builder = Test.createTestingModule({ imports, providers: [BookHandler] });
    harness = await MississippiHarness.create(builder, { store: 'own', totalCount: 4, deliver: false });
  });

  afterEach(() => harness.close());

  const bookings = async (): Promise<unknown[]> => (await pglite.query('SELECT * FROM bookings')).rows;

  it('waits for commits, whose writes are there then', async () => {
    await harness.send('ann', 5);
    await harness.settled();
    expect(await bookings()).toEqual([{ account: 'ann', cents: 5 }]);
    expect(await harness.state('ann')).toBe(5);
    expect(harness.published()).toMatchObject([{ key: 'audit', payload: 5 }]);
  });

  it('a crash between the work and its commit leaves nothing of it, and the message is handled again', async () => {
    const { reached } = harness.hang('ann', { at: 'end' });
    await harness.send('ann', 5);
    await reached;
    await harness.crash();
    expect(await bookings()).toEqual([]);
    await harness.restart();
    await harness.settled();
    expect(await bookings()).toEqual([{ account: 'ann', cents: 5 }]);
    expect(harness.published()).toHaveLength(1);
  });
});
