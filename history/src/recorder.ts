import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { REPLAY_HEADER, type MessageHeaders } from '@mississippi/core';
import { refOfId, type HistoryEvent, type MessageRef, type Observation } from './events.js';

/** What a recorder tells the time by. */
export interface RecorderClock {
  /** Milliseconds that never go back, the same in every process of the history. */
  now(): number;
  /** Milliseconds since 1970. */
  time(): number;
}

/**
 * Milliseconds of the machine's monotonic clock (CLOCK_MONOTONIC on Linux, which processes share and no stop stops). Not
 * `performance.now()`, whose origins differ by a millisecond between processes.
 */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const machineClock: RecorderClock = { now: monotonic, time: Date.now };

/** Stamps what one process sees, and passes it on. */
export class Recorder {
  /**
   * Whether replays of dead letters are recorded as messages of their own: by whoever publishes them too, so that all of a history's
   * processes that have to do with one must. Default `false`.
   */
  marksReplays = false;
  private events = 0;
  private numbers = 0;

  constructor(
    readonly process: string,
    private readonly write: (event: HistoryEvent) => void,
    private readonly clock: RecorderClock = machineClock,
  ) {}

  record(observation: Observation): void {
    const { process, clock } = this;
    this.write({ ...observation, process, n: ++this.events, mono: clock.now(), wall: clock.time() });
  }

  /** The message of an id, of which the headers say whether it is a replay. */
  refOf(id: string | undefined, headers: MessageHeaders): MessageRef {
    const replay = this.marksReplays ? headers[REPLAY_HEADER] : undefined;
    return refOfId(id, typeof replay === 'number' ? replay : 0);
  }

  /** A number for a run, a delivery or a state. */
  number(): number {
    return ++this.numbers;
  }
}

export const HISTORY_SUFFIX = '.events.jsonl';

/**
 * Appends what one process sees to a file of its own, one write for each event: what was written stays when the process
 * is killed, and only the last line can be torn.
 */
export class FileRecorder extends Recorder {
  private readonly file: number;

  /** @param wrote called after each event */
  constructor(folder: string, process: string, wrote: () => void = () => undefined) {
    const file = openSync(join(folder, `${process}${HISTORY_SUFFIX}`), 'a');
    super(process, (event) => {
      writeSync(file, `${JSON.stringify(event)}\n`);
      wrote();
    });
    this.file = file;
  }

  close(): void {
    closeSync(this.file);
  }
}
