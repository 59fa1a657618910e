import type { KeyList, KeyReport, ProcessInfo, ShardReport } from '@mississippi/core';
import { EXIT } from '../exit-codes.js';
import { count, counted, firstOf } from '../output/amounts.js';
import { shown, wrapped } from '../output/plain-text.js';
import type { Printer } from '../output/printer.js';
import type { Session } from '../session/session.js';
import type { Commands, Context } from './context.js';
import { keyDocument } from './documents.js';
import type { Hints } from './hints.js';
import { keyTable, remedies, remedyLines } from './key-table.js';
import { shortName } from '../output/short-name.js';
import { summaryOf, type ShardSummary } from './shard-summary.js';

/** Troubled keys on the first screen. */
const MOST_KEYS = 8;
/** Processes on it. */
const MOST_PROCESSES = 6;
/** How long an owner may take. Milliseconds. */
const PATIENCE = 2_000;
/** Columns of the words before a text, and of a line at most. */
const LABEL = 11;
const WIDEST = 120;

/** What there is to see at first. */
interface Overview {
  readonly processes: readonly ProcessInfo[];
  readonly shards: readonly ShardReport[];
  readonly troubled: KeyList;
  readonly deadLetters: number | undefined;
}

export function statusCommand(commands: Commands) {
  return commands.command<{ check: boolean }>(
    ['status', '$0'],
    'what is stuck and why, and what to type next',
    (argv) =>
      argv.option('check', { type: 'boolean', default: false, describe: 'exit with 1 when something is stuck' }),
    async ({ check }, context) =>
      context.withSession(async (session) => {
        const overview = await look(session);
        const { printer } = context;
        printer.answer(documentOf(session, overview), () => screen(session, overview, context));
        return check && isStuck(overview) ? EXIT.wrong : EXIT.ok;
      }),
  );
}

async function look({ operator, deadLetters, settings }: Session): Promise<Overview> {
  const timeout = Math.min(settings.timeout, PATIENCE);
  const processes = await operator.processes();
  const [shards, troubled] = await Promise.all([
    operator.shards({ over: 500, timeout }),
    operator.keys({ troubled: true, limit: MOST_KEYS, timeout }),
  ]);
  return { processes, shards, troubled, deadLetters };
}

function isStuck({ shards, troubled }: Overview): boolean {
  const { unowned, stalled, silent } = summaryOf(shards);
  return troubled.keys.length + unowned.length + stalled.length + silent.length > 0;
}

function documentOf({ queues, broker }: Session, { processes, shards, troubled, deadLetters }: Overview): object {
  return {
    prefix: queues.prefix,
    application: queues.application ?? null,
    type: queues.type ?? null,
    broker: { name: broker.name, virtualHost: broker.virtualHost, version: broker.version },
    processes: processes.map(({ name, shards: owned, intake }) => ({ name, shards: owned.length, intake })),
    shards: summaryOf(shards),
    troubled: { keys: troubled.keys.map(keyDocument), more: troubled.more, unanswered: troubled.unanswered },
    deadLetters: deadLetters ?? null,
  };
}

function screen({ queues, broker }: Session, overview: Overview, { printer, hints }: Context): string[] {
  const { processes, shards, troubled, deadLetters } = overview;
  const summary = summaryOf(shards);
  const { application = 'an app that never consumed', totalCount, type, prefix } = queues;
  return [
    `${printer.title(shown(`${prefix}*`))}  ${shown(application)}: ${totalCount} shards${type === undefined ? '' : `, ${type} queues`}`,
    printer.paint.dim(
      `${broker.product} ${broker.version} at ${broker.name}, virtual host ${shown(broker.virtualHost)}`,
    ),
    '',
    ...keyLines(troubled, processes.length > 0, summary.unowned.length, printer, hints),
    '',
    ...shardLines(summary, printer, hints),
    ...processLines(processes, printer),
    ...deadLetterLine(deadLetters, printer, hints),
  ];
}

/** @param unowned how many shards nobody owns: who waits there is in no list */
export function keyLines(
  { keys, more, unanswered }: KeyList,
  anybody: boolean,
  unowned: number,
  printer: Printer,
  hints: Hints,
): string[] {
  if (!anybody) return [printer.paint.red('No process consumes: nobody knows whether a key is stuck.')];
  const warned = (shards: number, what: string): string[] =>
    shards === 0
      ? []
      : wrapped(`${counted(shards, 'shard')} ${what}`, Math.min(printer.columns, WIDEST)).map((line) =>
          printer.paint.red(line),
        );
  const silent = [
    ...warned(unanswered.length, 'did not answer, so their keys are not here.'),
    ...warned(unowned, 'without an owner: whatever waits there is stuck, and not here.'),
  ];
  if (keys.length === 0)
    return [...silent, printer.paint.green(silent.length === 0 ? 'No key is stuck.' : 'No other key is stuck.')];
  const others = more === 0 ? [] : [`… and ${count(more)} more: ${hints.command('keys list')}`];
  return [
    printer.title(`Stuck keys: ${count(keys.length + more)}`),
    ...keyTable(printer, keys),
    ...others,
    ...silent,
    '',
    printer.title('What to type next'),
    ...nextLines(keys, printer, hints),
  ];
}

/** For one key of each trouble, the worst first. */
function nextLines(keys: readonly KeyReport[], printer: Printer, hints: Hints): string[] {
  const first = new Map(keys.toReversed().map((key) => [key.trouble, key]));
  const kinds = [...new Set(keys.map(({ trouble }) => trouble))];
  return kinds.flatMap((trouble) => {
    const key = first.get(trouble)!;
    return [printer.paint.yellow(` ${trouble!}: ${key.text}`), ...remedyLines(remedies(key, hints), printer)];
  });
}

function shardLines(summary: ShardSummary, printer: Printer, hints: Hints): string[] {
  const { total, owned, unowned, stalled, silent, silentProcesses, backlog, inFlight, parked, rate } = summary;
  const lines = labelled(
    'Shards',
    `${owned} of ${total} owned; ${count(backlog)} messages wait, ${count(inFlight)} under way, ${count(parked)} parked; ${count(Math.round(rate))} a second`,
    printer,
  );
  const bad = (shards: readonly number[], what: string, words: string): void => {
    if (shards.length === 0) return;
    const text = `${what}: ${firstOf(shards)} (${hints.command(words)})`;
    lines.push(...labelled('', text, printer).map((line) => printer.paint.red(line)));
  };
  bad(unowned, 'without an owner', 'doctor');
  bad(stalled, 'stalled, since the side queue is full', 'parked list');
  const who = silentProcesses.map(shortName).join(', ');
  bad(silent, `${who} does not answer: restart it if it hangs, nothing is lost; its shards`, 'processes');
  return lines;
}

function processLines(processes: readonly ProcessInfo[], printer: Printer): string[] {
  if (processes.length === 0) return labelled('Processes', 'none', printer);
  const some = processes
    .slice(0, MOST_PROCESSES)
    .map(({ name, shards, intake }) => `${shortName(name)} (${shards.length}${intake === 'paused' ? ', paused' : ''})`);
  const more = processes.length > MOST_PROCESSES ? `, and ${processes.length - MOST_PROCESSES} more` : '';
  return labelled('Processes', `${processes.length}, with their shards: ${some.join(', ')}${more}`, printer);
}

function deadLetterLine(deadLetters: number | undefined, printer: Printer, hints: Hints): string[] {
  const where = deadLetters === undefined || deadLetters === 0 ? '' : `: ${hints.command('dead-letters list')}`;
  return labelled('Dead', `${counted(deadLetters ?? 0, 'letter')}${where}`, printer);
}

/** A text behind a word, over as many lines as it needs. */
function labelled(label: string, text: string, { columns, paint }: Printer): string[] {
  const width = Math.max(20, Math.min(columns, WIDEST) - LABEL);
  return wrapped(shown(text), width).map((line, index) =>
    index === 0 ? `${paint.bold(label)}${' '.repeat(LABEL - label.length)}${line}` : `${' '.repeat(LABEL)}${line}`,
  );
}
