import type { ProcessInfo } from '@mississippi/core';
import { firstOf } from '../output/amounts.js';
import type { Column } from '../output/table.js';
import type { Commands } from './context.js';

const COLUMNS: readonly Column<ProcessInfo>[] = [
  { title: 'PROCESS', value: ({ name }) => name },
  { title: 'SHARDS', value: ({ shards }) => shards.length, right: true },
  { title: 'WHICH', value: ({ shards }) => firstOf(shards, 12), least: 10, spare: 1 },
];

export function processesCommand(commands: Commands) {
  return commands.command<object>(
    'processes',
    'the processes that share the shards',
    (argv) => argv,
    async (_args, { withSession, printer }) =>
      withSession(async ({ operator }) => {
        const processes = await operator.processes();
        printer.answer({ processes: processes.map(({ name, shards }) => ({ name, shards })) }, () =>
          processes.length === 0 ? ['No process takes part: no app consumes.'] : printer.table(processes, COLUMNS),
        );
      }),
  );
}
