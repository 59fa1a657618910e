import yargs from 'yargs';
import type { Argv, CommandModule } from 'yargs';
import { auditCommand } from './commands/audit.command.js';
import { Commands } from './commands/context.js';
import { deadLettersCommand } from './commands/dead-letters.command.js';
import { doctorCommand } from './commands/doctor.command.js';
import type { AnyCommand } from './commands/group.js';
import { keysCommand } from './commands/keys.command.js';
import { numberOption } from './commands/number-option.js';
import { parkedCommand } from './commands/parked.command.js';
import { processesCommand } from './commands/processes.command.js';
import { publishCommand } from './commands/publish.command.js';
import { shardsCommand } from './commands/shards.command.js';
import { signalCommand } from './commands/signal.command.js';
import { stateCommand } from './commands/state.command.js';
import { typesCommand } from './commands/types.command.js';
import { statusCommand } from './commands/status.command.js';
import { UsageError } from './errors.js';
import type { Terminal } from './output/terminal.js';
import { withoutCredentials } from './settings/secrets.js';
import { version } from './version.js';

/** Beyond that lines are hard to read. */
const WIDEST_HELP = 110;
const COMPLETION = 'completion';

/** Does what a command line says, and returns the status to exit with. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  const commands = new Commands(terminal);
  const parser = withCommon(yargs([...args]))
    .scriptName('mississippi')
    .usage(
      '$0 <command>\n\nSees which key is stuck and why, and frees it, by the broker alone. Begin with: mississippi status',
    )
    .epilogue(
      'Credentials come from MISSISSIPPI_URL, a file, or .mississippirc.json, and are never shown. Exit codes: docs/cli.md.',
    )
    .command(all(commands))
    .completion(COMPLETION, 'print a script for bash or zsh that completes commands and options')
    .strict()
    .help()
    .alias('help', 'h')
    .version(version())
    .recommendCommands()
    .exitProcess(false)
    .wrap(Math.min(terminal.out.columns, WIDEST_HELP))
    .fail((message, error) => {
      // What a command threw is told as it is.
      if (error !== undefined && !isOfParser(error)) throw error;
      // What the parser says is about the command line. It repeats words that were typed, and a url may be among them.
      const said = withoutCredentials((message ?? error.message).replaceAll('\n', ' '));
      throw new UsageError(`${said} (mississippi --help lists what there is.)`, { cause: error });
    })
    .parserConfiguration({
      // Keys look like anything.
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'duplicate-arguments-array': true,
      'boolean-negation': false,
    });
  // In strict mode, without ending the process, the parser takes its own command for one that it does not know (yargs 18.2).
  if (args[0] === COMPLETION) parser.showCompletionScript();
  else await parser.parseAsync();
  return commands.status;
}

/** So is what an option was refused with: the parser makes an error of its own of it (yargs 18.2). */
function isOfParser({ name }: Error): boolean {
  return name === 'YError';
}

function all(commands: Commands): CommandModule[] {
  const list: AnyCommand[] = [
    statusCommand(commands) as AnyCommand,
    keysCommand(commands),
    parkedCommand(commands),
    deadLettersCommand(commands),
    shardsCommand(commands) as AnyCommand,
    processesCommand(commands),
    typesCommand(commands),
    doctorCommand(commands),
    stateCommand(commands),
    auditCommand(commands),
    signalCommand(commands),
    publishCommand(commands),
  ];
  return list as CommandModule[];
}

function withCommon(argv: Argv): Argv {
  const text = (describe: string) => ({ type: 'string', describe, requiresArg: true, global: true }) as const;
  return argv
    .option('url', text('of the broker, without a password'))
    .option('url-file', text('a file with the url of the broker'))
    .option('prefix', text("what the queues' names begin with (default mississippi_)"))
    .option('instance', text("the name of the app's instance, where it has one"))
    .option('store-url', text('of the PostgreSQL store, without a password'))
    .option('store-url-file', text('a file with the url of the store'))
    .option('schema', text("of the store's tables (default mississippi)"))
    .option('management-url', text("of RabbitMQ's management API, without a password"))
    .option('management-url-file', text('a file with that url'))
    .option('config', text('a file instead of .mississippirc.json'))
    .option('timeout', {
      ...numberOption('timeout', 'seconds that the owner of a key may take to answer (default 5)', {
        least: 0,
        fraction: true,
      }),
      global: true,
    })
    .option('json', { type: 'boolean', default: false, describe: 'print JSON, errors too', global: true })
    .group(
      [
        'url',
        'url-file',
        'prefix',
        'instance',
        'store-url',
        'store-url-file',
        'schema',
        'management-url',
        'management-url-file',
        'config',
      ],
      'Where:',
    );
}
