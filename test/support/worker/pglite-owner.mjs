/** A process that has a store in a folder, and commits a state whenever it is told one, until it is killed. */
import { systemClock } from '@mississippi/core';
import { postgres } from '@mississippi/postgres';

const connection = await postgres({ folder: process.argv[2] }).connect({
  instance: 'default',
  logger: console,
  keyText: String,
  clock: systemClock,
  shards: { transport: 'memory', totalCount: 4, hash: 'phash2' },
  exclusive: true,
  inboxHorizon: 86_400_000,
  settleTime: 0,
});
const { epoch, token } = await connection.openShard(0);
let number = 0;
let previous = token;

process.on('message', (text) => void commit(text));
process.send('open');

async function commit(text) {
  number++;
  const next = Buffer.alloc(16, number);
  const state = { bytes: Buffer.from(text), version: 1 };
  const states = [{ key: Buffer.from([131, 97, 1]), state, ttl: undefined }];
  const nothing = { audit: [], handled: [], outbox: [], sent: [], taken: [] };
  await connection.commit([{ shard: 0, epoch, number, previous, token: next, states, ...nothing }]);
  previous = next;
  process.send('committed');
}
