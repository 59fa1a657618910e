import { shown } from '../output/plain-text.js';
import type { Commands } from './context.js';
import { group, type AnyCommand } from './group.js';

export function typesCommand(commands: Commands): AnyCommand {
  return group('types', 'message types that are paused: list, pause, resume', [
    listCommand(commands),
    typeCommand(commands, 'pause', 'park each key at its first message of the type, in all processes'),
    typeCommand(commands, 'resume', 'let messages of the type be handled again'),
  ]);
}

function listCommand(commands: Commands): AnyCommand {
  return commands.command<object>(
    ['list', '$0'],
    'the types that are paused',
    (argv) => argv,
    async (_args, { withSession, printer, hints }) =>
      withSession(async ({ operator }) => {
        const types = await operator.pausedTypes();
        printer.answer({ types }, () =>
          types.length === 0
            ? ['No type is paused.']
            : [...types.map((type) => shown(type)), '', hints.command('types resume TYPE')],
        );
      }),
  );
}

function typeCommand(commands: Commands, verb: 'pause' | 'resume', describe: string): AnyCommand {
  return commands.command<{ type: string }>(
    `${verb} <type>`,
    describe,
    (argv) => argv.positional('type', { type: 'string', demandOption: true, describe: 'as the message has it' }),
    async ({ type }, { withSession, printer, hints }) =>
      withSession(async ({ operator }) => {
        await (verb === 'pause' ? operator.pauseType(type) : operator.resumeType(type));
        printer.answer({ done: verb, type }, () => [
          `Done: ${verb} ${shown(type)}.`,
          `  ${hints.command('types list')}`,
        ]);
      }),
  );
}
