import type { MississippiOperator, ProcessInfo } from '@mississippi/core';
import { NotFoundError } from '../errors.js';
import { firstOf } from '../output/amounts.js';
import { shown } from '../output/plain-text.js';
import type { Column } from '../output/table.js';
import type { Commands } from './context.js';
import { group, type AnyCommand } from './group.js';
import { shortName } from '../output/short-name.js';

const COLUMNS: readonly Column<ProcessInfo>[] = [
  { title: 'PROCESS', value: ({ name }) => name },
  { title: 'SHARDS', value: ({ shards }) => shards.length, right: true },
  { title: 'INTAKE', value: ({ intake }) => intake },
  { title: 'WHICH', value: ({ shards }) => firstOf(shards, 12), least: 10, spare: 1 },
];

export function processesCommand(commands: Commands): AnyCommand {
  return group('processes', 'the processes that share the shards: list, pause, resume', [
    listCommand(commands),
    intakeCommand(
      commands,
      'pause',
      'have one claim no shards and hand its own over, in good order',
      (operator, name) => operator.pauseIntake(name),
    ),
    intakeCommand(commands, 'resume', 'have it claim its share again', (operator, name) => operator.resumeIntake(name)),
  ]);
}

function listCommand(commands: Commands): AnyCommand {
  return commands.command<object>(
    ['list', '$0'],
    'who takes part, and what each owns',
    (argv) => argv,
    async (_args, { withSession, printer }) =>
      withSession(async ({ operator }) => {
        const processes = await operator.processes();
        const documents = processes.map(({ name, shards, intake }) => ({ name, shards, intake }));
        printer.answer({ processes: documents }, () =>
          processes.length === 0 ? ['No process takes part: no app consumes.'] : printer.table(processes, COLUMNS),
        );
      }),
  );
}

function intakeCommand(
  commands: Commands,
  verb: 'pause' | 'resume',
  describe: string,
  act: (operator: MississippiOperator, name: string) => Promise<void>,
): AnyCommand {
  return commands.command<{ process: string }>(
    `${verb} <process>`,
    describe,
    (argv) =>
      argv.positional('process', {
        type: 'string',
        demandOption: true,
        describe: 'its name, or the end of it: host:pid:id',
      }),
    async ({ process }, { withSession, printer, hints }) =>
      withSession(async ({ operator }) => {
        const name = named(process, await operator.processes());
        await act(operator, name);
        printer.answer({ done: verb, process: name }, () => [
          `Done: ${verb} ${shown(name)}.`,
          `  ${hints.command('processes')}`,
        ]);
      }),
  );
}

/** @throws {NotFoundError} when there is none, or more than one, of that name */
function named(typed: string, processes: readonly ProcessInfo[]): string {
  const found = processes.filter(({ name }) => name === typed || shortName(name) === typed);
  if (found.length === 1) return found[0]!.name;
  const names = processes.map(({ name }) => shortName(name)).join(', ');
  throw new NotFoundError(`No process '${typed}' takes part; there ${names === '' ? 'is none' : `are ${names}`}.`);
}
