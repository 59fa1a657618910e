/**
 * What the dashboard costs: `npm run bench:dashboard -- [rounds] [messages]`. Each turn is a process of its own, since a look by one side would be paid by all
 * that share it; the sides take turns, another one first in each round. `without again` shows how far two equal sides are apart.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { quantile } from '../harness/measurement.js';
import { number, table, tidy } from '../harness/tables.js';
import { type Load, runSide } from './side.js';

const LOAD: Load = { warmUp: 200_000, messages: 1_500_000, keys: 10_000, wave: 1_000 };
const ROUNDS = 7;

interface Side {
  readonly name: string;
  readonly dashboard: boolean;
  readonly viewers: number;
}

const SIDES: readonly Side[] = [
  { name: 'without', dashboard: false, viewers: 0 },
  { name: 'without again', dashboard: false, viewers: 0 },
  { name: 'nobody looks', dashboard: true, viewers: 0 },
  { name: 'somebody looks', dashboard: true, viewers: 1 },
  { name: 'ten look', dashboard: true, viewers: 10 },
];

/** CPU microseconds a message. The viewers are here, so that the process that is measured pays for what it serves alone. */
async function turnOf({ dashboard, viewers }: Side, messages: number): Promise<number> {
  const child = fork(fileURLToPath(import.meta.url), ['side', String(dashboard), String(messages)], {
    execArgv: ['--expose-gc'],
  });
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  const leave = new AbortController();
  const seen = Array.from({ length: viewers }, () => watch(url, leave.signal));
  const measured = once(child, 'message') as Promise<[{ cpu: number }]>;
  child.send('go');
  const [{ cpu }] = await measured;
  leave.abort();
  const counts = await Promise.all(seen);
  if (counts.some((snapshots) => snapshots === 0))
    throw new Error('A viewer has seen nothing, so that nothing was measured.');
  await once(child, 'exit');
  return cpu;
}

/** How many snapshots came. */
async function watch(url: string, signal: AbortSignal): Promise<number> {
  let text = '';
  try {
    const response = await fetch(url, { signal });
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) text += part;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return text.split('event: snapshot').length - 1;
}

async function compare(rounds: number, messages: number): Promise<void> {
  const costs = SIDES.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < SIDES.length; turn++) {
      const index = (round + turn) % SIDES.length;
      costs[index]!.push(await turnOf(SIDES[index]!, messages));
    }
  }
  const rows = SIDES.map(({ name }, index) => {
    const ratios = costs[index]!.map((cost, round) => cost / costs[0]![round]!);
    const at = (share: number): string => number(quantile(ratios, share), 3);
    return [name, number(quantile(costs[index]!, 0.5), 2), at(0.5), `${at(0.25)} … ${at(0.75)}`];
  });
  process.stdout.write(`${await tidy(table(['', 'CPU µs/message', '× without', 'middle half'], rows))}\n`);
}

const [first, second, third] = process.argv.slice(2);
if (first === 'side') await runSide(second === 'true', { ...LOAD, messages: Number(third) });
else await compare(Number(first ?? ROUNDS), Number(second ?? LOAD.messages));
process.exit(0);
