import type { KeyReport, MississippiOperator } from '@mississippi/core';
import type { ShardingKey } from '@mississippi/core/transport';
import { InterruptedError } from '../errors.js';
import { count, counted } from '../output/amounts.js';
import { shown } from '../output/plain-text.js';
import type { Commands, Context } from './context.js';
import { keyDocument } from './documents.js';
import { findKey, reportOfKey } from './find-key.js';
import type { Hints } from './hints.js';
import { remedies, remedyLines, type Remedy } from './key-table.js';
import {
  confirmFirst,
  firstOfKey,
  messageIdWords,
  withFirstMessage,
  type FirstMessageArguments,
} from './first-message.js';
import type { AnyCommand } from './group.js';
import { withKey, withYes, type KeyArguments } from './options.js';

type Act = (operator: MississippiOperator, key: ShardingKey) => Promise<KeyReport | undefined>;

/** What is done to one key. */
export function actionCommands(commands: Commands): AnyCommand[] {
  return [
    retryCommand(commands),
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
        told({ name, key: args.key }, await act(session.operator, key), context);
      }),
  );
}

function retryCommand(commands: Commands): AnyCommand {
  return commands.command<KeyArguments & FirstMessageArguments>(
    'retry <key>',
    'try its first message now, not at its next turn; a parked key stays parked behind it',
    (argv) => withFirstMessage(withKey(argv)),
    async (args, context) =>
      context.withSession(async (session) => {
        const { operator } = session;
        const key = await findKey(session, args);
        const first = firstOfKey(args, await operator.key(key));
        told({ name: 'retry', key: args.key, ...first }, await operator.retry(key, first), context);
      }),
  );
}

function dropCommand(commands: Commands): AnyCommand {
  return commands.command<KeyArguments & FirstMessageArguments & { yes: boolean }>(
    'drop <key>',
    'give its first message up: it goes to the dead letters as dropped, and the key goes on behind it',
    (argv) => withYes(withFirstMessage(withKey(argv))),
    async (args, { withSession, confirm, ...context }) =>
      withSession(async (session) => {
        const key = await findKey(session, args);
        const report = await reportOfKey(session, key, args.key);
        const what = (first: string): string =>
          `This gives ${first} of the key ${report.text} up: it goes to the dead letters, and the key goes on without it.`;
        await confirmFirst(confirm, what, args, report);
        const first = firstOfKey(args, report);
        told({ name: 'drop', key: args.key, ...first }, await session.operator.drop(key, first), context);
      }),
  );
}

/** Gives all parked messages of a key up. */
export function dropAllCommand(commands: Commands, usage: string): AnyCommand {
  return commands.command<KeyArguments & FirstMessageArguments & { yes: boolean }>(
    usage,
    'give all of its parked messages up: they go to the dead letters, in order; the key stays parked',
    (argv) => withYes(withFirstMessage(withKey(argv))),
    async (args, { withSession, confirm, printer, progress, hints, terminal }) =>
      withSession(async (session) => {
        const key = await findKey(session, args);
        const report = await reportOfKey(session, key, args.key);
        const { parked, text } = report;
        const what = (first: string): string =>
          `This gives ${counted(parked, 'parked message')} of the key ${text} up, from ${first} on: they go to the dead letters.`;
        await confirmFirst(confirm, what, args, report);
        const dropped = await session.operator.dropAll(key, {
          ...firstOfKey(args, report),
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

/** What was done, to which key as it was typed, and to which message of it. */
interface Done {
  readonly name: string;
  readonly key: string;
  readonly messageId?: string;
}

/** Says what was done, and how the key stands. */
function told(
  { name, key, messageId }: Done,
  report: KeyReport | undefined,
  { printer, hints }: Pick<Context, 'printer' | 'hints'>,
): void {
  const message = messageId === undefined ? {} : { messageId };
  printer.answer({ done: name, ...message, key: report === undefined ? null : keyDocument(report) }, () => {
    const which = messageId === undefined ? '' : `, the message ${shown(messageId)}`;
    if (report === undefined)
      return [`Done: ${name} ${shown(key)}${which}. Nothing of the key is in memory or parked now.`];
    const { text, state, trouble, queued, parked } = report;
    const how = `${state}${trouble === undefined || trouble === state ? '' : `, ${trouble}`}; ${count(queued)} in memory, ${count(parked)} parked`;
    const next = remedyLines(nextOf(name, report, hints), printer);
    return [
      `Done: ${name} ${shown(text)}${which}. It is ${how}.`,
      ...(next.length === 0
        ? [`  ${hints.ofKey('keys show', report)}`]
        : ['', printer.title('What to type next'), ...next]),
    ];
  });
}

/** Whoever has dropped the message that was broken goes on, and drops no second one. */
function nextOf(name: string, report: KeyReport, hints: Hints): readonly Remedy[] {
  if (name !== 'drop' || report.parkedState !== 'held') return remedies(report, hints);
  return [
    [hints.ofKey('keys resume', report), 'lets all of it go on, in order'],
    [
      hints.ofKey('keys retry', report, messageIdWords(report.head?.messageId)),
      'tries the next one alone; it stays parked',
    ],
  ];
}
