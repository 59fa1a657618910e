import type { KeyList, ProcessInfo, ShardReport } from '@mississippi/core';
import { counted, firstOf } from '../output/amounts.js';
import { error, note, warning, type Finding } from './finding.js';

/** Of the messages that a side queue may hold: from there on somebody should look. */
const NEAR = 0.8;

/** @param members consumers of the queue of members */
export function checkProcesses(processes: readonly ProcessInfo[], members: number): Finding[] {
  const paused = checkIntake(processes);
  if (members <= processes.length) return paused;
  return [
    ...paused,
    warning(
      `${counted(members, 'process takes', 'processes take')} part, and ${processes.length} of them said so`,
      'one is frozen, has just begun or ended, or is of another version',
      'ask again in a minute; if it stays, compare with the processes that you run',
    ),
  ];
}

/** What somebody paused, and perhaps forgot: such a process looks as if it were of no use. */
function checkIntake(processes: readonly ProcessInfo[]): Finding[] {
  const paused = processes.filter(({ intake }) => intake === 'paused').map(({ name }) => name);
  if (paused.length === 0) return [];
  const all = paused.length === processes.length;
  return [
    (all ? error : note)(
      `the intake of ${counted(paused.length, 'process', 'processes')} is paused: ${paused.join(', ')}`,
      all ? 'nobody else takes part: nothing is handled' : 'others have their shards',
      'resume them by name, or start them again',
      'processes list',
    ),
  ];
}

/** @param limit of a side queue, the app's option `sideQueueLimit` */
export function checkShards(shards: readonly ShardReport[], limit: number): Finding[] {
  const findings: Finding[] = [];
  const numbers = (test: (shard: ShardReport) => boolean): number[] => shards.filter(test).map(({ shard }) => shard);
  const silent = numbers(({ process, owned }) => process !== undefined && owned === undefined);
  const stalled = numbers(({ owned }) => owned?.stalled === true);
  const near = numbers(({ owned }) => owned !== undefined && !owned.stalled && owned.parked >= limit * NEAR);
  if (silent.length > 0) {
    const names = new Set(shards.filter(({ shard }) => silent.includes(shard)).map(({ process }) => process!));
    findings.push(
      error(
        `the owners of shards do not answer: ${firstOf(silent)}`,
        'a process is frozen or busy, or of a version that knows no operator',
        `look at ${[...names].join(', ')}; restart it if it hangs: nothing is lost`,
      ),
    );
  }
  if (stalled.length > 0) {
    findings.push(
      error(
        `shards stand still, since their side queues are full: ${firstOf(stalled)}`,
        'every key of the shard waits',
        'resume or drop parked keys of theirs, or raise sideQueueLimit',
        `parked list --shard ${stalled[0]!}`,
      ),
    );
  }
  if (near.length > 0) {
    findings.push(
      warning(
        `side queues are nearly full (${NEAR * 100} % of ${limit}): ${firstOf(near)}`,
        'a full one stops its whole shard',
        'resume or drop parked keys of theirs',
        `parked list --shard ${near[0]!}`,
      ),
    );
  }
  return findings;
}

export function checkKeys({ keys, more }: KeyList): Finding[] {
  if (keys.length === 0) return [];
  return [
    warning(
      `${counted(keys.length + more, 'key is', 'keys are')} stuck`,
      'their messages wait',
      'see why, and what frees them',
      'status',
    ),
  ];
}

export function checkDeadLetters(count: number): Finding[] {
  if (count === 0) return [];
  return [
    note(
      counted(count, 'dead letter'),
      'they were given up, and wait for somebody to decide',
      'list them, and replay or drop them',
      'dead-letters list',
    ),
  ];
}
