import { PublishError, PublishTimeoutError } from '@mississippi/core';
import type { Clock, Timer } from '@mississippi/core/transport';
import { encodeRecord, type RecordFile } from './record-file.js';

/** Milliseconds between two tries while the disk is full. */
const RETRY = 50;

interface Entry {
  readonly file: RecordFile;
  readonly record: Uint8Array;
  readonly isWanted: () => boolean;
  /** Holds the process until the entry is done or dropped. */
  readonly timer: Timer;
  readonly done: (error?: Error) => void;
}

/** Writes what one connection hands over, in that order, a moment later. While the disk is full everything waits. */
export class FileWriter {
  blocked = false;
  private closed = false;
  private scheduled = false;
  private entries: Entry[] = [];

  constructor(private readonly clock: Clock) {}

  /**
   * @param timeout milliseconds
   * @param isWanted asked before it is written: `false` drops it, and then the promise is left alone
   */
  async write(file: RecordFile, value: unknown, timeout = Infinity, isWanted = () => true): Promise<void> {
    if (this.closed) throw closedError();
    const record = encodeRecord(value);
    let timedOut = false;
    await new Promise<void>((resolve, reject) => {
      const timer = this.clock.after(timeout, () => {
        timedOut = true;
        reject(new PublishTimeoutError(timeout, false));
      });
      const done = (error?: Error) => {
        timer.cancel();
        if (error === undefined) resolve();
        else reject(error);
      };
      this.entries.push({ file, record, isWanted: () => !timedOut && isWanted(), timer, done });
      this.schedule();
    });
  }

  /** Writes what waits, if it can, and refuses the rest. */
  close(): void {
    this.flush();
    this.closed = true;
    for (const { done } of this.entries) done(closedError());
    this.entries = [];
  }

  /** What waits is lost. */
  crash(): void {
    this.closed = true;
    for (const { timer } of this.entries) timer.cancel();
    this.entries = [];
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    const flush = () => {
      this.scheduled = false;
      this.flush();
      if (this.entries.length > 0) this.schedule();
    };
    if (this.blocked) this.clock.after(RETRY, flush);
    else this.clock.soon(flush);
  }

  private flush(): void {
    this.entries = this.entries.filter(({ isWanted, timer }) => {
      const wanted = isWanted();
      if (!wanted) timer.cancel();
      return wanted;
    });
    while (this.entries.length > 0 && this.writeFirst()) this.entries.shift();
  }

  /** @returns whether it is done, if only because it failed */
  private writeFirst(): boolean {
    const { file, record, done } = this.entries[0]!;
    try {
      file.append(record);
      this.blocked = false;
      done();
    } catch (error) {
      this.blocked = (error as NodeJS.ErrnoException).code === 'ENOSPC';
      if (this.blocked) return false;
      done(new PublishError('refused', `${file.path} cannot be written.`, { cause: error }));
    }
    return true;
  }
}

function closedError(): PublishError {
  return new PublishError('closed', 'The message was not written, because the transport is closed.');
}
