import type { KeyReport, KeyTrouble } from '@mississippi/core';
import { shortName } from '../output/short-name.js';
import { duration } from '../output/amounts.js';
import type { Printer } from '../output/printer.js';
import type { Column } from '../output/table.js';
import { messageIdWords } from './first-message.js';
import type { Hints } from './hints.js';

const COLUMNS: readonly Column<KeyReport>[] = [
  { title: 'KEY', value: ({ text }) => text, least: 12 },
  { title: 'SHARD', value: ({ shard }) => shard, right: true },
  { title: 'STATE', value: stateOf },
  { title: 'WAITS', value: ({ waiting, callback }) => duration(callback?.age ?? waiting), right: true },
  { title: 'TRY', value: ({ attempt }) => (attempt === 0 ? undefined : attempt), right: true, spare: 1 },
  { title: 'QUEUED', value: ({ queued }) => queued, right: true },
  { title: 'PARKED', value: ({ parked }) => parked, right: true },
  { title: 'FIRST MESSAGE', value: ({ head }) => head?.messageId, least: 12, spare: 2 },
  { title: 'PROCESS', value: ({ process }) => process && shortName(process), least: 12, spare: 3 },
];

export function keyTable(printer: Printer, keys: readonly KeyReport[]): string[] {
  return printer.table(keys, COLUMNS, { below: why });
}

/** What keeps it, in the words of the guide. */
function stateOf({ trouble, state }: KeyReport): string {
  return trouble ?? state;
}

function why({ trouble, error, callback }: KeyReport): string | undefined {
  if (trouble === 'hanging' && callback !== undefined)
    return `${callback.name} has run for ${duration(callback.age)!} and has not ended`;
  return error;
}

/** A command, and what it does. */
export type Remedy = readonly [command: string, effect: string];

/** What frees a key, as commands: `docs/guide.md` says when which. */
export function remedies(report: KeyReport, hints: Hints): readonly Remedy[] {
  const { trouble, head } = report;
  const command = (words: string, more = ''): string => hints.ofKey(words, report, more);
  // The message that is shown, and no other: whoever types it twice is refused.
  const named = messageIdWords(head?.messageId);
  const retry: Remedy = [command('keys retry', named), 'the cause is mended: tries its first message now'];
  const pause: Remedy = [command('keys pause'), 'it takes longer: parks it until you resume it; others go on'];
  const drop: Remedy = [command('keys drop', named), 'its first message is broken: gives it up, to the dead letters'];
  const resume: Remedy = [command('keys resume'), 'then: lets all of it go on, in order'];
  const dropAll: Remedy = [
    command('keys drop-all', named),
    'none of it is wanted: gives all that is parked up, to the dead letters',
  ];
  const held = [
    [retry[0], 'the cause is mended: tries its first message; it stays parked'],
    drop,
    dropAll,
    resume,
  ] as const;
  const doctor = (effect: string): Remedy => [hints.command('doctor'), effect];
  const byTrouble: Readonly<Record<KeyTrouble, readonly Remedy[]>> = {
    hanging:
      report.parkedState === 'held'
        ? [
            [
              command('keys show'),
              'it is to be parked: look again when its attempt has ended or was given up (handlerTimeout)',
            ],
          ]
        : [
            [
              command('keys pause'),
              'parks it when its attempt ends or is given up (handlerTimeout); then drop, and resume',
            ],
          ],
    failing: [retry, drop, pause],
    startFailing: [retry],
    parked:
      report.parkReason === 'type_paused'
        ? [
            [
              hints.command('types list'),
              'its first message is of a type that is paused: resume that, or see which it is',
            ],
          ]
        : held,
    pressure: [retry, pause],
    storeAway: [doctor('says what is wrong with the store (MISSISSIPPI_STORE_URL); nothing is lost meanwhile')],
    deadLetterRefused: [doctor('says why the broker does not take its dead letter'), retry],
    sideQueueFull: [
      ...(report.parkedState === 'held' ? held : []),
      [hints.command(`parked list --shard ${report.shard}`), 'the keys that fill the side queue of its shard'],
    ],
  };
  return trouble === undefined ? [] : byTrouble[trouble];
}

/** Commands, each with what it does behind or, where there is no room, below it. */
export function remedyLines(all: readonly Remedy[], printer: Printer): string[] {
  const widest = Math.max(0, ...all.map(([command]) => command.length));
  return all.flatMap(([command, effect]) => {
    const beside = `  ${command.padEnd(widest)}  ${printer.paint.dim(effect)}`;
    return 4 + widest + effect.length <= printer.columns
      ? [beside]
      : [`  ${command}`, `      ${printer.paint.dim(effect)}`];
  });
}
