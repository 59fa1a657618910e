import type { DeadLetterDetails, DeadLetterReport } from '@mississippi/core';
import { duration, size } from '../output/amounts.js';
import { shown, shownLines } from '../output/plain-text.js';
import type { Printer } from '../output/printer.js';
import type { Column } from '../output/table.js';

const COLUMNS: readonly Column<DeadLetterReport>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'KEY', value: ({ text }) => text, least: 10 },
  { title: 'REASON', value: ({ reason }) => reason ?? 'unknown', least: 10 },
  { title: 'TYPE', value: ({ type }) => type, least: 6, spare: 3 },
  { title: 'AGE', value: ({ failedAt }) => ageOf(failedAt), right: true },
  { title: 'TRIES', value: ({ attempts }) => (attempts === 0 ? undefined : attempts), right: true, spare: 1 },
  { title: 'REPLAYS', value: ({ replays }) => replays, right: true, spare: 2 },
  { title: 'SIZE', value: (letter) => size(letter.size), right: true, spare: 4 },
];

/** Bytes of a body that is no text, as far as they are shown. */
const MOST_BYTES = 256;

export function letterTable(printer: Printer, letters: readonly DeadLetterReport[]): string[] {
  return printer.table(letters, COLUMNS, { below: ({ error }) => error, most: 1 });
}

/** One dead letter, with all that there is of it. */
export function letterLines(letter: DeadLetterDetails, { paint }: Printer): string[] {
  const { text, reason, error, failedAt, attempts, replays, messageId, type, timestamp, headers, properties, stack } =
    letter;
  const when = failedAt && `${failedAt.toISOString()} (${ageOf(failedAt)!} ago)`;
  const rows: [string, string | undefined][] = [
    ['id', letter.id],
    ['key', text],
    ['reason', reason ?? 'unknown: something else than this library put it there'],
    ['error', error],
    ['given up', when],
    ['attempts', attempts === 0 ? undefined : attempts?.toString()],
    ['replays', replays === 0 ? undefined : String(replays)],
    ['message id', messageId],
    ['type', type],
    ['published', timestamp === undefined ? undefined : new Date(timestamp * 1_000).toISOString()],
    ...named('header', headers),
    ...named('property', { ...properties, type: undefined }),
  ];
  const line = ([name, value]: [string, string | undefined]): string[] =>
    value === undefined ? [] : [`${paint.dim(shown(name).padEnd(14))} ${shown(value)}`];
  return [
    ...rows.flatMap(line),
    '',
    paint.dim(`payload, ${size(letter.size)}`),
    ...payloadLines(letter),
    ...(stack === undefined ? [] : ['', paint.dim('stack'), ...shownLines(stack)]),
  ];
}

function payloadLines({ payload, body }: DeadLetterDetails): string[] {
  if (payload !== undefined) return shownLines(JSON.stringify(payload, undefined, 2));
  if (body === undefined) return ['(not shown)'];
  const text = new TextDecoder('utf-8').decode(body);
  if (!text.includes('\ufffd')) return shownLines(text);
  const hex = Buffer.from(body.subarray(0, MOST_BYTES)).toString('hex');
  return [`0x${hex}${body.length > MOST_BYTES ? '… (all of it with --json)' : ''}`];
}

function named(kind: string, values: object): [string, string | undefined][] {
  return Object.entries(values).map(([name, value]) => [
    `${kind} ${name}`,
    value === undefined ? undefined : String(value),
  ]);
}

function ageOf(time: Date | undefined): string | undefined {
  return time && duration(Math.max(0, Date.now() - time.getTime()));
}
