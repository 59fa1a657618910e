import { lineOf, PROMISES, type HistoryEvent, type Promised, type Violation } from '@mississippi/history';
import type { Cause, Unserved } from './service.js';
import type { RunResult, StoreResult } from './run.js';
import type { Action } from './schedule.js';
import { median, quantile } from './statistics.js';
import { STORE_PROMISES, type Findings, type StorePromised } from './store/audit.js';
import { POINTS } from './store/steps.js';
import type { EmbeddedResult } from './store/embedded-run.js';

const ALL = Object.keys(PROMISES) as Promised[];

/** In the order of the report. */
const CAUSES: Readonly<Record<Cause, string>> = {
  kill: 'a kill',
  stop: 'a stop',
  stall: 'a short stop',
  cut: 'a cut',
  freeze: 'a freeze',
  broker: 'a broker kill',
  wipe: 'a wipe of the broker',
  alarm: 'a memory alarm',
  queue: 'a bad queue',
  node: 'the loss of a node',
  channel: 'the end of a channel',
  lose: 'a loss',
  handOver: 'a hand-over',
  other: 'something else',
};

/** Violations of each promise that are told in full. */
const TOLD = 3;
/** Events of the key around a violation: so many before and after it. */
const BEFORE = 40;
const AFTER = 10;

/** The report of a run with a store. */
export function storeReportOf(result: StoreResult): string {
  const { findings, messages, discarded, copies, replays, successions, unserved, drained, folder } = result;
  const slowest = successions.length === 0 ? '' : `, the slowest in ${Math.max(...successions).toFixed(0)} ms`;
  return [
    `${messages} messages had to have an effect, ${discarded} to be dead letters; ${copies} dead letters are there again, ${replays} were replayed`,
    `frozen transactions that had a successor: ${successions.length}${slowest}`,
    faultsText(result),
    `steps at which processes were struck: ${result.struck.size} of ${POINTS.length}`,
    ...plantedNothing(result),
    ...countsOf(findings),
    ...unservedTexts(unserved),
    `  ${'time to drain at the end'.padEnd(40)} ${drained === undefined ? 'never' : `${(drained / 1_000).toFixed(1)} s`}`,
    ...foundIn(findings, folder),
  ].join('\n');
}

/** The report of an embedded run. */
export function embeddedReportOf(result: EmbeddedResult): string {
  const { findings, messages, processes, actions, drained, folder } = result;
  return [
    `${messages} messages had to have an effect, in ${processes} processes`,
    `faults: ${[...actions].map(([action, count]) => `${action} ${count}`).join(', ')}`,
    ...countsOf(findings),
    `  ${'time to drain at the end'.padEnd(50)} ${drained === undefined ? 'never' : `${(drained / 1_000).toFixed(1)} s`}`,
    ...foundIn(findings, folder),
  ].join('\n');
}

const STORE_LINES = Object.entries(STORE_PROMISES) as [StorePromised, string][];

function countsOf(findings: Findings): string[] {
  return STORE_LINES.map(([promise, text]) => `  ${text.padEnd(50)} ${findings[promise].length}`);
}

function foundIn(findings: Findings, folder: string): string[] {
  const told = STORE_LINES.flatMap(([promise, text]) =>
    findings[promise].slice(0, TOLD).map((finding) => `${text}: ${finding}`),
  );
  return told.length === 0 ? [] : ['', ...told, `The history is in ${folder}`];
}

function faultsText({ actions, seen, missed }: Pick<RunResult, 'actions' | 'seen' | 'missed'>): string {
  const faults = [...actions].map(([action, count]) => {
    const times = seen.get(action);
    return `${action} ${count}${times === undefined ? '' : ` (${times} seen)`}`;
  });
  return `faults: ${faults.join(', ') || 'none'}${missed === 0 ? '' : ` (${missed} found nobody to strike)`}`;
}

export function reportOf(result: RunResult): string {
  const { verdict, unserved, drained, events, folder } = result;
  const counts = ALL.map((promise) => {
    const count = verdict.violations.filter((violation) => violation.promise === promise).length;
    return `  ${PROMISES[promise].padEnd(40)} ${count}`;
  });
  const { backlog, attempts, signals } = verdict;
  const pressed = `${Math.round((100 * backlog.pressed) / Math.max(1, attempts))} %, at most ${backlog.most}`;
  return [
    `${verdict.published} published, ${verdict.confirmed} confirmed, ${verdict.done} done in ${attempts} attempts and ${verdict.epochs} epochs`,
    `the longest sequence of a key: ${backlog.longest}; attempts with more of their key behind them: ${pressed}`,
    `signals: ${signals.sent} sent, ${signals.answered} answered, ${signals.notRun} not run, ${signals.unknown} unknown, ${signals.failed} failed; ${signals.waited} waited for 1 s or longer and ran`,
    faultsText(result),
    ...plantedNothing(result),
    ...counts,
    `  ${'duplicates (the faults explain at most)'.padEnd(40)} ${verdict.duplicates} (${verdict.mostDuplicates})`,
    ...unservedTexts(unserved),
    `  ${'time to drain at the end'.padEnd(40)} ${drained === undefined ? 'never' : `${(drained / 1_000).toFixed(1)} s`}`,
    ...(verdict.violations.length === 0
      ? []
      : ['', ...told(verdict.violations, events), `The history is in ${folder}`]),
  ].join('\n');
}

/** What the broker can always be made to have. What keys have depends on who publishes to them meanwhile. */
const CERTAIN = new Set<Action>(['alarm', 'deleteQueue', 'badQueue', 'wipe']);

/** The faults that the broker was never seen to have, though it was asked: such a run proves less than it says. */
function plantedNothing(result: Pick<RunResult, 'seen'>): string[] {
  const unseen = unseenOf(result);
  return unseen.length === 0 ? [] : [`PLANTED NOTHING: ${unseen.join(', ')}`];
}

export function unseenOf({ seen }: Pick<RunResult, 'seen'>): Action[] {
  return [...seen].filter(([action, times]) => times === 0 && CERTAIN.has(action)).map(([action]) => action);
}

/** How long shards were unserved, cause by cause. */
function unservedTexts(all: readonly Unserved[]): string[] {
  const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(2)} s`;
  return Object.entries(CAUSES).flatMap(([cause, text]) => {
    const times = all.filter((unserved) => unserved.cause === cause).map(({ milliseconds }) => milliseconds);
    if (times.length === 0) return [];
    const figures = `median ${seconds(median(times))}, p99 ${seconds(quantile(times, 0.99))}, longest ${seconds(Math.max(...times))}`;
    return [`  ${`a shard unserved after ${text}`.padEnd(40)} ${figures} (${times.length})`];
  });
}

function told(violations: readonly Violation[], events: readonly HistoryEvent[]): string[] {
  const lines: string[] = [];
  for (const promise of ALL) {
    const broken = violations.filter((violation) => violation.promise === promise);
    for (const violation of broken.slice(0, TOLD)) {
      lines.push(`${PROMISES[promise]}: ${violation.text}`);
      if (violation === broken[0]) lines.push(...around(violation, events));
    }
    if (broken.length > TOLD) lines.push(`... and ${broken.length - TOLD} more`);
  }
  return lines;
}

/** What happened to the key, and to whoever is about, around a violation. */
function around({ key, mono }: Violation, events: readonly HistoryEvent[]): string[] {
  if (key === undefined) return [];
  const shards = new Set<number>();
  for (const event of events) if ('key' in event && event.key === key && 'shard' in event) shards.add(event.shard);
  const about = events.filter((event) => {
    if ('key' in event) return event.key === key;
    return 'shard' in event ? shards.has(event.shard) : true;
  });
  const index = about.findIndex((event) => event.mono >= mono);
  const start = events[0]?.mono ?? 0;
  const middle = index < 0 ? about.length : index;
  return about.slice(Math.max(0, middle - BEFORE), middle + AFTER).map((event) => `    ${lineOf(event, start)}`);
}
