import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { inOrderOfTime, type HistoryEvent } from './events.js';
import { HISTORY_SUFFIX } from './recorder.js';

/** Bytes that are read at once: the file of a long run does not fit into one string. */
const CHUNK = 16 * 1024 * 1024;

/** Reads what processes append to the files of a run, as it grows. */
export class HistoryTail {
  private readonly files = new Map<string, { readonly descriptor: number; offset: number; rest: string }>();

  constructor(
    private readonly folder: string,
    /** Which files are read; their names begin with that of the process. */
    private readonly isWanted: (file: string) => boolean = () => true,
    private readonly chunk = CHUNK,
  ) {}

  /** The events that were added since the last call. A line that is not whole yet waits. */
  read(): HistoryEvent[] {
    const events: HistoryEvent[] = [];
    for (const name of readdirSync(this.folder)) {
      if (name.endsWith(HISTORY_SUFFIX) && this.isWanted(name)) this.readFile(name, events);
    }
    return events;
  }

  close(): void {
    for (const { descriptor } of this.files.values()) closeSync(descriptor);
    this.files.clear();
  }

  private readFile(name: string, into: HistoryEvent[]): void {
    let file = this.files.get(name);
    if (file === undefined) {
      this.files.set(name, (file = { descriptor: openSync(join(this.folder, name), 'r'), offset: 0, rest: '' }));
    }
    const length = fstatSync(file.descriptor).size - file.offset;
    if (length <= 0) return;
    const chunk = Buffer.alloc(Math.min(length, this.chunk));
    for (let left = length; left > 0;) {
      const count = readSync(file.descriptor, chunk, 0, Math.min(left, chunk.length), file.offset);
      if (count === 0) return;
      // A line may end in the middle of a character only at its torn end, and all that is written is ASCII.
      const lines = (file.rest + chunk.toString('latin1', 0, count)).split('\n');
      file.offset += count;
      left -= count;
      file.rest = lines.pop()!;
      for (const line of lines) into.push(JSON.parse(line) as HistoryEvent);
    }
  }
}

/** The whole history of a run in the order of time. The torn last line of a process that was killed is left out. */
export function readHistory(folder: string): HistoryEvent[] {
  return inOrderOfTime(readAll(new HistoryTail(folder)));
}

/** What the processes of one place wrote, one process after the other. */
export function readHistoryOf(folder: string, place: string): HistoryEvent[] {
  return readAll(new HistoryTail(folder, (file) => file.startsWith(`${place}.`))).sort((a, b) => a.mono - b.mono);
}

function readAll(tail: HistoryTail): HistoryEvent[] {
  try {
    return tail.read();
  } finally {
    tail.close();
  }
}
