import type { KeyReport } from '@mississippi/core';
import { count, counted, duration, firstOf } from '../output/amounts.js';
import { shown } from '../output/plain-text.js';
import type { Printer } from '../output/printer.js';
import type { Commands, Context } from './context.js';
import { keyDocument } from './documents.js';
import { keyTable, remedies, remedyLines } from './key-table.js';
import { checkShard } from './number-option.js';
import { withKey, withLimit, withShard, type KeyArguments } from './options.js';
import { findKey, reportOfKey } from './find-key.js';
import { actionCommands } from './key-actions.js';
import { group } from './group.js';

export function keysCommand(commands: Commands) {
  return group('keys', 'keys: which are stuck and why; retry, drop, pause, resume, deactivate', [
    listCommand(commands),
    showCommand(commands),
    ...actionCommands(commands),
  ]);
}

function listCommand(commands: Commands) {
  return commands.command<{ all: boolean; shard: number | undefined; limit: number }>(
    ['list', '$0'],
    'the keys that are stuck, those that wait the longest first',
    (argv) =>
      withShard(withLimit(argv, 100)).option('all', {
        type: 'boolean',
        default: false,
        describe: 'all that are in memory or parked',
      }),
    async ({ all, shard, limit }, context) =>
      context.withSession(async ({ operator, queues }) => {
        checkShard(shard, queues.totalCount);
        const filter = { troubled: !all, limit, ...(shard === undefined ? {} : { shard }) };
        const { keys, more, unanswered } = await operator.keys(filter);
        context.printer.answer({ keys: keys.map(keyDocument), more, unanswered }, () => [
          ...(keys.length === 0
            ? [all ? 'No key is in memory or parked.' : 'No key is stuck.']
            : keyTable(context.printer, keys)),
          ...(more === 0 ? [] : [`… and ${count(more)} more (--limit)`]),
          ...(unanswered.length === 0
            ? []
            : [
                `${counted(unanswered.length, 'shard')} did not answer: ${firstOf(unanswered.map((one) => one.shard))}`,
              ]),
          ...(keys[0] === undefined ? [] : ['', context.hints.ofKey('keys show', keys[0])]),
        ]);
      }),
  );
}

function showCommand(commands: Commands) {
  return commands.command<KeyArguments>(
    'show <key>',
    'one key: why it is stuck, and what frees it',
    (argv) => withKey(argv),
    async (args, context) =>
      context.withSession(async (session) => {
        const report = await reportOfKey(session, await findKey(session, args), args.key);
        showKey(report, context);
      }),
  );
}

/** Prints a key as it stands. */
export function showKey(report: KeyReport, { printer, hints }: Pick<Context, 'printer' | 'hints'>): void {
  printer.answer(keyDocument(report), () => {
    const next = remedyLines(remedies(report, hints), printer);
    return [...facts(report, printer), ...(next.length === 0 ? [] : ['', printer.title('What to type next'), ...next])];
  });
}

function facts(report: KeyReport, { paint }: Printer): string[] {
  const { text, shard, process, state, trouble, queued, parked, attempt, error, head, waiting, callback } = report;
  const parkedAs = [report.parkedState, report.parkReason].filter((part) => part !== undefined).join(', ');
  const rows: [string, string | undefined][] = [
    ['key', text],
    ['stuck', trouble === undefined ? 'no' : trouble],
    ['error', error],
    ['state', state],
    ['callback', callback && `${callback.name}, for ${duration(callback.age)!}`],
    ['waits', duration(waiting)],
    ['attempt', attempt === 0 ? undefined : String(attempt)],
    ['messages', `${count(queued)} in memory, ${count(parked)} parked${parkedAs === '' ? '' : ` (${parkedAs})`}`],
    [
      'first message',
      head && [head.messageId ?? 'without an id', head.type].filter((part) => part !== undefined).join(', '),
    ],
    ['shard', String(shard)],
    ['process', process],
  ];
  return rows.flatMap(([name, value]) =>
    value === undefined ? [] : [`${paint.dim(name.padEnd(14))} ${shown(value)}`],
  );
}
