import { isReplay, type EventOf, type MessageRef } from '../events.js';
import type { Faults } from './faults.js';
import type { KnownLimits } from './limits.js';
import type { Findings } from './promises.js';
import { messageState, type Line, type MessageState } from './records.js';

/** How much there was to bring into disorder. */
export interface Backlog {
  /** Attempts that started while later messages of their key were published. */
  pressed: number;
  /** Most messages behind one attempt. */
  most: number;
  /** Most messages of one key. */
  longest: number;
}

/**
 * What was published, and what became of it: an attempt at a message is legal only if every earlier one of its key was
 * handled or finished for good, nothing is lost, and nothing is done more often than the faults explain. The replays of a
 * key are in an order of their own, since whoever publishes them does not wait for those who publish the others.
 */
export class Messages {
  readonly backlog: Backlog = { pressed: 0, most: 0, longest: 0 };
  /** Something was set aside: from then on processes may forget more than what they handled. */
  everParked = false;
  /** Repeats that faults of publishers explain. */
  mostResent = 0;
  readonly all = new Map<string, MessageState>();
  /** By key; and by key, those that were replayed. */
  private readonly lines = new Map<string, Line>();
  private readonly replays = new Map<string, Line>();
  private readonly unconfirmed = new Map<string, Set<MessageState>>();

  constructor(
    private readonly findings: Findings,
    private readonly limits: KnownLimits,
    private readonly faults: Faults,
  ) {}

  published(event: EventOf<'published'>): void {
    const message = this.of(event);
    // A publisher that begins anew sends again what its predecessor had not confirmed.
    if (message.published) this.resent(message);
    else this.first(message);
    message.published = true;
    message.garbled = event.garbled ?? false;
    message.type = event.messageType;
    this.unconfirmedOf(event.process).add(message);
  }

  answered(event: EventOf<'confirmed'>): void {
    const message = this.of(event);
    if (event.type === 'confirmed') message.confirmed = true;
    else message.excused = true;
    if (event.type === 'refused' && !this.limits.mayRefuse) {
      this.findings.add('refused', `${event.id} was refused in ${event.process}`, event.key);
    }
    if (event.type !== 'excused') this.unconfirmedOf(event.process).delete(message);
  }

  interrupted({ process }: { process: string }): void {
    for (const message of this.unconfirmedOf(process)) this.resent(message);
  }

  of(ref: MessageRef): MessageState {
    let message = this.all.get(ref.id);
    if (message === undefined) {
      const { id, key, seq } = ref;
      this.all.set(id, (message = messageState({ id, key, seq })));
      if (seq >= 0) this.stand(message, lineOf(this.lines, key), seq);
    }
    return message;
  }

  expectPublished({ id, key, seq, process }: MessageRef & { process: string }, what: string): void {
    const message = this.all.get(id);
    if (message?.published === true && message.ref.key === key && message.ref.seq === seq) return;
    const name = id || 'a message without an id';
    this.findings.add('phantom', `${name} ${what} in ${process}, but nobody published it so`, key);
  }

  started(event: EventOf<'started'>): void {
    this.expectPublished(event, 'was handled');
    const { id, key, seq, process } = event;
    const message = this.of(event);
    const line = message.place?.line ?? lineOf(this.lines, key);
    const at = isReplay(event) ? (message.place?.at ?? -1) : seq;
    const text = `${id} started in ${process}`;
    while (line.frontier < at && isDone(line.messages[line.frontier])) line.frontier++;
    if (line.frontier < at) {
      const gap = line.messages[line.frontier]?.ref.id ?? `${key}#${line.frontier}`;
      this.findings.add('outOfOrder', `${text} and leaves a gap: ${gap} was not handled`, key);
    }
    if (message.garbled) this.findings.add('undecodable', `${text} though it cannot be decoded`, key);
    if (message.done > 0 && !message.repeating) message.repeats++;
    message.repeating = message.done > 0;
    this.checkRepeat(message, process, text);
    const behind = line.published - line.done - 1;
    if (behind > 0) this.backlog.pressed++;
    this.backlog.most = Math.max(this.backlog.most, behind);
  }

  ended({ process, outcome }: { process: string; outcome: string }, message: MessageState): void {
    if (outcome !== 'ok') return;
    message.handledBy.add(process);
    message.repeating = false;
    this.finished(message);
  }

  finished(message: MessageState): void {
    if (message.done++ === 0) (message.place?.line ?? lineOf(this.lines, message.ref.key)).done++;
  }

  /** An operator gave it up. An attempt that began before its shard was lost cannot be stopped, and may succeed all the same. */
  dropped(message: MessageState): void {
    if (![...message.running].some(({ over }) => over !== undefined)) return;
    message.mayRepeat++;
    this.mostResent++;
  }

  /**
   * Everything came to rest, or did not. Returns how often a message was done once more than needed.
   * @param left how many messages are left in the queues and do not move
   */
  end(left: EventOf<'stuck'> | undefined): number {
    let duplicates = 0;
    const stuck = new Set<string>();
    for (const message of this.all.values()) {
      const { ref, confirmed, gone, excused, mayRepeat } = message;
      const repeats = Math.max(message.repeats, message.done - 1);
      duplicates += repeats;
      if (repeats > mayRepeat) {
        const text = `${ref.id} was handled ${repeats + 1} times, but the faults explain only ${mayRepeat + 1}`;
        this.findings.add('unexplainedDuplicate', text, ref.key);
      }
      if (!confirmed || excused) continue;
      if (left !== undefined && !isDone(message)) stuck.add(ref.key);
      else if (!isDone(message)) this.findings.add('lost', `${ref.id} was confirmed and is lost`, ref.key);
      else if (!gone && left === undefined) this.findings.add('unsettled', `${ref.id} was never settled`, ref.key);
    }
    for (const key of stuck) this.findings.add('stuck', `the key ${key} did not come to rest`, key);
    if (left !== undefined && stuck.size === 0) {
      const text = left.text ?? `${left.messages} messages were left in the queues and did not move`;
      this.findings.add('stuck', text);
    }
    return duplicates;
  }

  /** What can be told at once. Else a fault that explains it may be heard of later. */
  private checkRepeat(message: MessageState, process: string, text: string): void {
    const { ref, gone, resent, handledBy } = message;
    if (gone && this.limits.ackDelay === 0) {
      this.findings.add('unexplainedDuplicate', `${text} though the message was settled`, ref.key);
    }
    // What comes from side queues is not bounded by the window, and may push others out of the memory; so may what a
    // killed broker brings back.
    if (handledBy.has(process) && !resent && !this.everParked && !this.faults.broker) {
      this.findings.add('unexplainedDuplicate', `${text} though this process had handled the message`, ref.key);
    }
  }

  private first(message: MessageState): void {
    const { ref } = message;
    if (isReplay(ref)) {
      const replays = lineOf(this.replays, ref.key);
      this.stand(message, replays, replays.messages.length);
    }
    const line = message.place?.line ?? lineOf(this.lines, ref.key);
    this.backlog.longest = Math.max(this.backlog.longest, ++line.published);
  }

  private stand(message: MessageState, line: Line, at: number): void {
    line.messages[at] = message;
    message.place = { line, at };
  }

  private resent(message: MessageState): void {
    message.mayRepeat++;
    message.resent = true;
    this.mostResent++;
  }

  private unconfirmedOf(process: string): Set<MessageState> {
    let set = this.unconfirmed.get(process);
    if (set === undefined) this.unconfirmed.set(process, (set = new Set()));
    return set;
  }
}

function lineOf(lines: Map<string, Line>, key: string): Line {
  let line = lines.get(key);
  if (line === undefined) lines.set(key, (line = { messages: [], frontier: 0, published: 0, done: 0 }));
  return line;
}

function isDone(message: MessageState | undefined): boolean {
  return message !== undefined && (message.done > 0 || message.excused);
}
