import type { KeyReport, MississippiOperator } from '@mississippi/core';
import type { ShardingKey } from '@mississippi/core/transport';
import { InterruptedError } from '../errors.js';
import { count, counted } from '../output/amounts.js';
import { shown } from '../output/plain-text.js';
import type { Commands, Context } from './context.js';
import { keyDocument } from './documents.js';
import { findKey, reportOfKey } from './find-key.js';
import type { AnyCommand } from './group.js';
import { withKey, withYes, type KeyArguments } from './options.js';

type Act = (operator: MississippiOperator, key: ShardingKey) => Promise<KeyReport | undefined>;

/** What is done to one key. */
export function actionCommands(commands: Commands): AnyCommand[] {
  return [
    simple(
      commands,
      'retry',
      'try its first message now, not at its next turn; a parked key stays parked behind it',
      (operator, key) => operator.retry(key),
    ),
    simple(commands, 'pause', 'park it, from its first message on, in order, until it is resumed', (operator, key) =>
      operator.pause(key),
    ),
    resumeCommand(commands),
    simple(
      commands,
      'deactivate',
      'end its data updater, so that the next message starts a fresh one',
      (operator, key) => operator.deactivate(key),
    ),
    dropCommand(commands),
    dropAllCommand(commands, 'drop-all <key>'),
  ];
}

export function resumeCommand(commands: Commands): AnyCommand {
  return simple(commands, 'resume', 'let a parked key go on, in order', (operator, key) => operator.resume(key));
}

function simple(commands: Commands, name: string, describe: string, act: Act): AnyCommand {
  return commands.command<KeyArguments>(
    `${name} <key>`,
    describe,
    (argv) => withKey(argv),
    async (args, context) =>
      context.withSession(async (session) => {
        const key = await findKey(session, args);
        told(name, args.key, await act(session.operator, key), context);
      }),
  );
}

function dropCommand(commands: Commands): AnyCommand {
  return commands.command<KeyArguments & { yes: boolean; messageId: string | undefined }>(
    'drop <key>',
    'give its first message up: it goes to the dead letters as dropped, and the key goes on behind it',
    (argv) =>
      withYes(withKey(argv)).option('message-id', {
        type: 'string',
        describe: 'only if that is the first one; default the one that is first when you ask',
      }),
    async (args, { withSession, confirm, ...context }) =>
      withSession(async (session) => {
        const key = await findKey(session, args);
        const report = await reportOfKey(session, key, args.key);
        const messageId = args.messageId ?? report.head?.messageId;
        const which = messageId === undefined ? 'the first message' : `the message ${messageId}`;
        await confirm(
          `This gives ${which} of the key ${report.text} up: it goes to the dead letters, and the key goes on without it.`,
          args.yes,
        );
        const after = await session.operator.drop(key, messageId === undefined ? {} : { messageId });
        told('drop', args.key, after, context);
      }),
  );
}

/** Gives all parked messages of a key up. */
export function dropAllCommand(commands: Commands, usage: string): AnyCommand {
  return commands.command<KeyArguments & { yes: boolean }>(
    usage,
    'give all of its parked messages up: they go to the dead letters, in order; the key stays parked',
    (argv) => withYes(withKey(argv)),
    async (args, { withSession, confirm, printer, progress, hints, terminal }) =>
      withSession(async (session) => {
        const key = await findKey(session, args);
        const { parked, text } = await reportOfKey(session, key, args.key);
        await confirm(
          `This gives ${counted(parked, 'parked message')} of the key ${text} up: they go to the dead letters.`,
          args.yes,
        );
        const dropped = await session.operator.dropAll(key, {
          progress: ({ dropped: done, left }) => {
            progress.show(`${count(done)} dropped, ${count(left)} left`);
            // What was dropped is in the dead letters, and the rest is parked as before.
            if (terminal.interrupted.aborted)
              throw new InterruptedError(`Stopped: ${count(done)} were dropped, ${count(left)} are parked as before.`);
          },
        });
        progress.clear();
        printer.answer({ dropped }, () => [
          `${counted(dropped, 'message')} of the key ${shown(text)} went to the dead letters. It is parked still; to let it go on:`,
          `  ${hints.ofKey('keys resume', { key, text })}`,
        ]);
      }),
  );
}

/** Says what was done, and how the key stands. */
function told(
  name: string,
  typed: string,
  report: KeyReport | undefined,
  { printer, hints }: Pick<Context, 'printer' | 'hints'>,
): void {
  printer.answer({ done: name, key: report === undefined ? null : keyDocument(report) }, () => {
    if (report === undefined) return [`Done: ${name} ${shown(typed)}. Nothing of the key is in memory or parked now.`];
    const { text, state, trouble, queued, parked } = report;
    const how = `${state}${trouble === undefined || trouble === state ? '' : `, ${trouble}`}; ${count(queued)} in memory, ${count(parked)} parked`;
    return [`Done: ${name} ${shown(text)}. It is ${how}.`, `  ${hints.ofKey('keys show', report)}`];
  });
}
