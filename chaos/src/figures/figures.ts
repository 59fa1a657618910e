import { join } from 'node:path';
import type { RabbitMqNode } from '#support/rabbitmq-node.js';
import { joins } from './join.js';
import { kills } from './kill.js';
import type { Figure } from './names.js';
import { signals } from './signal.js';
import { CLAIM_INTERVAL, PROCESSES, Stage, WORK, type Sizes } from './stage.js';
import { stops } from './stop.js';
import { throughput } from './throughput.js';

/** Those that move shards, and measure beside messages that are published and handled. */
const MOVES = { kill: kills, join: joins, stop: stops };

/** Measures what is chosen and prints it. */
export async function figures(
  node: RabbitMqNode,
  folder: string,
  sizes: Sizes,
  chosen: readonly Figure[],
  say: (line: string) => void,
): Promise<void> {
  const { shards, keys, publishers, rate, heartbeat, quorum } = sizes;
  const texts = [`${quorum ? 'quorum' : 'classic'} queues, heartbeat ${heartbeat} s`];
  const moves = chosen.filter((name) => name in MOVES) as (keyof typeof MOVES)[];
  if (moves.length > 0) {
    texts.push(
      `${PROCESSES} processes, ${shards} shards, ${keys} keys, ${rate} messages/s from ${publishers} publishers, ` +
        `handlers of ${WORK} ms, claims every ${CLAIM_INTERVAL} ms`,
    );
    const stage = await Stage.open(node, join(folder, 'moves'), sizes, say);
    try {
      for (const name of moves) texts.push(...(await MOVES[name](stage)).map((text) => `  ${text}`));
    } finally {
      await stage.close();
    }
  }
  if (chosen.includes('throughput')) texts.push(...(await throughput(node, sizes, say)));
  if (chosen.includes('signal')) texts.push(...(await signals(node, sizes, say)));
  say(texts.join('\n'));
}
