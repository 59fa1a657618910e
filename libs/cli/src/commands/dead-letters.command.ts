import type { DeadLetterFilter, DeadLetterReason } from '@mississippi/core';
import type { Argv } from 'yargs';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import type { KeyType } from '../keys/key-argument.js';
import { count, counted } from '../output/amounts.js';
import type { Session } from '../session/session.js';
import type { Commands, Context } from './context.js';
import { letterDocument } from './documents.js';
import { findKey } from './find-key.js';
import { group, type AnyCommand } from './group.js';
import { letterLines, letterTable } from './letter-table.js';
import { KEY_TYPES } from '../keys/key-argument.js';
import { numberOption } from './number-option.js';
import { withLimit, withYes } from './options.js';
import { timeOf } from './time-argument.js';

const REASONS: readonly DeadLetterReason[] = [
  'discarded',
  'attempts_exhausted',
  'payload_undecodable',
  'payload_invalid',
  'unknown_type',
  'key_missing',
  'key_undecodable',
  'wrong_shard',
  'message_id_conflict',
  'unpublishable',
  'dropped',
];

interface FilterArguments {
  readonly key: string | undefined;
  readonly keyType: KeyType;
  readonly reason: DeadLetterReason | undefined;
  readonly type: string | undefined;
  readonly since: string | undefined;
  readonly until: string | undefined;
}

interface MeantArguments extends FilterArguments {
  readonly id: string | undefined;
  readonly all: boolean;
  readonly yes: boolean;
}

export function deadLettersCommand(commands: Commands): AnyCommand {
  return group('dead-letters', 'messages that were given up: list, show, replay, drop', [
    listCommand(commands),
    showCommand(commands),
    replayCommand(commands),
    dropCommand(commands),
  ]);
}

function listCommand(commands: Commands): AnyCommand {
  return commands.command<FilterArguments & { limit: number }>(
    ['list', '$0'],
    'the oldest first',
    (argv) => withFilter(withLimit(argv, 50)),
    async (args, { withSession, printer, hints }) =>
      withSession(async (session) => {
        const { letters, more, total } = await session.operator.deadLetters({
          ...(await filterOf(session, args)),
          limit: args.limit,
        });
        printer.answer({ letters: letters.map(letterDocument), more, total }, () => {
          if (letters.length === 0)
            return [
              total === 0 ? 'There are no dead letters.' : `None of the ${counted(total, 'dead letter')} is meant.`,
            ];
          const id = letters[0]!.id;
          return [
            ...letterTable(printer, letters),
            ...(more ? [`… and more of ${count(total)} in all (--limit)`] : []),
            '',
            hints.command(`dead-letters show ${id}`),
            hints.command(`dead-letters replay ${id}`),
          ];
        });
      }),
  );
}

function showCommand(commands: Commands): AnyCommand {
  return commands.command<{ id: string }>(
    'show <id>',
    'one dead letter, with payload, headers and stack',
    (argv) => argv.positional('id', { type: 'string', demandOption: true, describe: 'as the list shows it' }),
    async ({ id }, { withSession, printer, hints }) =>
      withSession(async ({ operator }) => {
        const letter = await operator.deadLetter(id);
        printer.answer(letterDocument(letter), () => [
          ...letterLines(letter, printer),
          '',
          hints.command(`dead-letters replay ${id}`),
          hints.command(`dead-letters drop ${id}`),
        ]);
      }),
  );
}

function replayCommand(commands: Commands): AnyCommand {
  return commands.command<MeantArguments & { rate: number }>(
    'replay [id]',
    'publish them again, each to the end of its key, in their order',
    (argv) =>
      withMeant(argv).option(
        'rate',
        numberOption('rate', 'messages a second at most', { least: 0, fraction: true, default: 500 }),
      ),
    async (args, context) =>
      context.withSession(async (session) => {
        const filter = await meant(session, args);
        const { progress, terminal } = context;
        const result = await session.operator.replay(filter, {
          rate: args.rate,
          signal: terminal.interrupted,
          progress: ({ done, read, total }) =>
            progress.show(
              `${count(done)} replayed; ${count(read)} of ${count(total)} read. Ctrl-C stops it in good order.`,
            ),
        });
        return ended(result, 'replayed', context);
      }),
  );
}

function dropCommand(commands: Commands): AnyCommand {
  return commands.command<MeantArguments>(
    'drop [id]',
    'remove them for good',
    (argv) => withMeant(argv),
    async (args, context) =>
      context.withSession(async (session) => {
        const filter = await meant(session, args);
        const { progress, terminal, confirm } = context;
        const which =
          args.id ?? (args.all ? `all ${counted(session.deadLetters ?? 0, 'dead letter')}` : 'those that are meant');
        await confirm(`This removes ${which} for good: nobody gets them back.`, args.yes);
        const result = await session.operator.dropDeadLetters(filter, {
          signal: terminal.interrupted,
          progress: ({ done, read, total }) =>
            progress.show(`${count(done)} dropped; ${count(read)} of ${count(total)} read`),
        });
        return ended(result, 'dropped', context);
      }),
  );
}

function ended(
  { done, total, withoutKey }: { done: number; total: number; withoutKey: number },
  what: 'replayed' | 'dropped',
  { printer, progress, terminal }: Context,
): number {
  progress.clear();
  const { aborted } = terminal.interrupted;
  printer.answer({ [what]: done, total, withoutKey, interrupted: aborted }, () => [
    `${counted(done, 'dead letter')} ${done === 1 ? 'was' : 'were'} ${what}${aborted ? ' before you stopped it; the others are in their places' : ''}. There were ${count(total)} in all.`,
    ...(withoutKey === 0 ? [] : [`${counted(withoutKey, 'dead letter')} without a key that can be read stayed.`]),
  ]);
  return aborted ? EXIT.interrupted : EXIT.ok;
}

function withFilter<T>(argv: Argv<T>): Argv<T & FilterArguments> {
  return argv
    .option('key', { type: 'string', describe: 'only those of one key' })
    .option('key-type', { choices: KEY_TYPES, default: 'text', describe: 'how the key is written' })
    .option('reason', { choices: REASONS, describe: 'only those given up for this reason' })
    .option('type', { type: 'string', describe: 'only those with this message type' })
    .option('since', { type: 'string', describe: 'only those given up since: 2h, 3d, or a time (ISO 8601)' })
    .option('until', { type: 'string', describe: 'only those given up before' }) as unknown as Argv<
    T & FilterArguments
  >;
}

function withMeant<T>(argv: Argv<T>): Argv<T & MeantArguments> {
  return withYes(withFilter(argv))
    .positional('id', { type: 'string', describe: 'one alone, as the list shows it' })
    .option('all', { type: 'boolean', default: false, describe: 'all of them' });
}

async function filterOf(
  session: Session,
  { key, keyType, reason, type, since, until }: FilterArguments,
): Promise<DeadLetterFilter> {
  return {
    ...(key === undefined ? {} : { key: await findKey(session, { key, keyType }) }),
    ...(reason === undefined ? {} : { reason }),
    ...(type === undefined ? {} : { type }),
    ...(since === undefined ? {} : { since: timeOf(since, '--since') }),
    ...(until === undefined ? {} : { until: timeOf(until, '--until') }),
  };
}

/**
 * One, those of a filter, or all: it has to be said.
 * @throws {UsageError}
 */
async function meant(session: Session, args: MeantArguments): Promise<DeadLetterFilter> {
  const filter = await filterOf(session, args);
  const { id, all } = args;
  const says = [id !== undefined, Object.keys(filter).length > 0, all].filter(Boolean).length;
  if (says !== 1)
    throw new UsageError(
      'Say which dead letters: an id of the list, or --key, --reason, --type, --since, --until, or --all; one of the three.',
    );
  return id === undefined ? filter : { id };
}
