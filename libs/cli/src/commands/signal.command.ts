import type { KeyType } from '../keys/key-argument.js';
import { shownLines } from '../output/plain-text.js';
import type { Commands } from './context.js';
import { findKey } from './find-key.js';
import type { AnyCommand } from './group.js';
import { withKey } from './options.js';
import { jsonOf } from './payload-argument.js';

export function signalCommand(commands: Commands): AnyCommand {
  return commands.command<{ key: string; keyType: KeyType; signal: string; name: string | undefined }>(
    'signal <key> <signal>',
    "send a signal, in JSON, to a key's handler, and print its answer",
    (argv) =>
      withKey(argv)
        .positional('signal', {
          type: 'string',
          demandOption: true,
          describe: 'JSON; - reads it from the standard input',
        })
        .option('name', {
          type: 'string',
          describe: 'the name of the signal, for handlers with @OnSignal(name)',
        }),
    async (args, { withSession, printer, terminal }) => {
      const signal = jsonOf(args.signal === '-' ? (await terminal.read()).toString() : args.signal);
      return withSession(async (session) => {
        const key = await findKey(session, args);
        const { name } = args;
        const answer = await session.dataUpdaters.handleSignal(key, signal, name === undefined ? {} : { name });
        printer.answer({ answer: answer ?? null }, () => shownLines(JSON.stringify(answer ?? null, undefined, 2)));
      });
    },
  );
}
