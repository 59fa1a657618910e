import type { ShardReport } from '@mississippi/core';
import { count } from '../output/amounts.js';
import type { Column } from '../output/table.js';
import type { Commands } from './context.js';
import { numberOption } from './number-option.js';
import { shortName } from '../output/short-name.js';

const COLUMNS: readonly Column<ShardReport>[] = [
  { title: 'SHARD', value: ({ shard }) => shard, right: true },
  { title: 'WAIT', value: ({ backlog }) => backlog, right: true },
  { title: 'UNDER WAY', value: ({ owned }) => owned?.inFlight, right: true },
  { title: 'PARKED', value: ({ owned }) => owned?.parked, right: true },
  { title: 'KEYS', value: ({ owned }) => owned?.keys, right: true },
  { title: 'A SECOND', value: ({ owned }) => owned && Math.round(owned.rate), right: true },
  { title: 'EPOCH', value: ({ owned }) => owned?.epoch, right: true, spare: 1 },
  { title: 'PROCESS', value: ({ process }) => process && shortName(process), least: 12 },
  { title: 'NOTE', value: noteOf },
];

export function shardsCommand(commands: Commands) {
  return commands.command<{ all: boolean; over: number }>(
    'shards',
    'the shards: who owns each, what waits, what is under way',
    (argv) =>
      argv
        .option('all', {
          type: 'boolean',
          default: false,
          describe: 'those too in which nothing waits and nothing is wrong',
        })
        .option(
          'over',
          numberOption('over', 'seconds over which messages a second are counted', {
            least: 0,
            fraction: true,
            default: 1,
          }),
        ),
    async ({ all, over }, { withSession, printer, hints }) =>
      withSession(async ({ operator }) => {
        const shards = await operator.shards({ over: over * 1_000 });
        printer.answer({ shards }, () => {
          const listed = all ? shards : shards.filter(isBusy);
          const others = shards.length - listed.length;
          const rest =
            others === 0 ? [] : [`${count(others)} others are owned and empty: ${hints.command('shards --all')}`];
          return [...(listed.length === 0 ? [] : printer.table(listed, COLUMNS)), ...rest];
        });
      }),
  );
}

function isBusy(shard: ShardReport): boolean {
  const { backlog = 0, owned } = shard;
  return noteOf(shard) !== undefined || backlog > 0 || owned === undefined || owned.inFlight > 0 || owned.parked > 0;
}

function noteOf({ process, owned }: ShardReport): string | undefined {
  if (process === undefined) return 'no owner';
  if (owned === undefined) return 'does not answer';
  return owned.stalled ? 'stalled: side queue full' : undefined;
}
