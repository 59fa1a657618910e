import type { EventOf, OperatorCall } from '../events.js';
import type { Callbacks } from './callbacks.js';
import type { Findings } from './promises.js';

/** A key that is held until somebody asks for it to be resumed. */
interface Hold {
  /** Attempts that somebody asked for, and that did not start yet. */
  tries: number;
}

/** What an operator lets go to the dead letters of one key. */
interface Drops {
  /** Single drops that were asked for and not declined. */
  asked: number;
  /** Calls that drop all, under way. */
  all: number;
  /** Of which he was told. */
  told: number;
  /** In the dead letters, or on their way there. */
  begun: number;
  /** In the dead letters. */
  done: number;
}

/**
 * What an operator is told is so: of a key that is held nothing starts, nor of a type that is paused, but for what he asks for; what he
 * drops goes to the dead letters, and nothing else does for it; a process whose intake is paused takes no shards; and on data updaters that
 * he ends nothing runs any more. Calls about one key follow each other.
 */
export class Operators {
  private readonly held = new Map<string, Hold>();
  private readonly drops = new Map<string, Drops>();
  private readonly pausedTypes = new Set<string>();
  private readonly closed = new Set<string>();
  /** Data updaters that lived when their end was asked for, by key. */
  private readonly ending = new Map<string, readonly object[]>();

  constructor(
    private readonly findings: Findings,
    private readonly callbacks: Callbacks,
  ) {}

  asked({ call, about }: EventOf<'asked'>): void {
    if (call === 'resume') this.held.delete(about);
    else if (call === 'resumeType') this.pausedTypes.delete(about);
    else if (call === 'resumeIntake') this.closed.delete(about);
    else if (call === 'retry') this.mayTry(about, 1);
    else if (call === 'drop') this.dropsOf(about).asked++;
    else if (call === 'dropAll') this.dropsOf(about).all++;
    else if (endsUpdater(call)) this.ending.set(about, this.callbacks.liveOf(about));
  }

  granted({ call, about, count = 1 }: EventOf<'granted'>): void {
    if (call === 'pause') this.held.set(about, { tries: 0 });
    else if (call === 'pauseType') this.pausedTypes.add(about);
    else if (call === 'pauseIntake') this.closed.add(about);
    else if (endsUpdater(call)) this.callbacks.toEnd(this.ending.get(about) ?? []);
    else if (call === 'drop') this.dropped(about, 1);
    else if (call === 'dropAll') this.droppedAll(about, count);
  }

  declined({ call, about, count = 0 }: EventOf<'declined'>): void {
    if (call === 'retry') this.mayTry(about, -1);
    else if (call === 'drop') this.dropsOf(about).asked--;
    else if (call === 'dropAll') this.droppedAll(about, count);
  }

  /** An attempt starts. */
  started(key: string, type: string | undefined, text: string): void {
    if (type !== undefined && this.pausedTypes.has(type)) {
      this.findings.add('startedThoughPaused', `${text} though its type ${type} is paused`, key);
    }
    const hold = this.held.get(key);
    if (hold === undefined) return;
    if (hold.tries === 0) this.findings.add('startedThoughHeld', `${text} though its key is held`, key);
    else hold.tries--;
  }

  owned({ process, shard }: EventOf<'owned'>): void {
    if (!this.closed.has(process)) return;
    this.findings.add('claimedThoughPaused', `${process} took the shard ${shard} though its intake is paused`);
  }

  /** A message goes to the dead letters because somebody dropped it. Returns whether somebody did. */
  dropping(key: string): boolean {
    const drops = this.drops.get(key);
    if (drops === undefined) return false;
    return ++drops.begun <= drops.asked || drops.all > 0;
  }

  /** It is there. */
  deadLettered(key: string): void {
    const drops = this.drops.get(key);
    if (drops !== undefined && drops.done < drops.begun) drops.done++;
  }

  private droppedAll(key: string, count: number): void {
    const drops = this.dropsOf(key);
    drops.all--;
    drops.asked += count;
    this.dropped(key, count);
  }

  private dropped(key: string, count: number): void {
    const drops = this.dropsOf(key);
    drops.told += count;
    if (drops.done >= drops.told) return;
    const text = `${drops.told} messages of ${key} were said to be dropped, but ${drops.done} are dead letters`;
    this.findings.add('notDropped', text, key);
  }

  private mayTry(key: string, more: number): void {
    const hold = this.held.get(key);
    if (hold !== undefined) hold.tries = Math.max(0, hold.tries + more);
  }

  private dropsOf(key: string): Drops {
    let drops = this.drops.get(key);
    if (drops === undefined) this.drops.set(key, (drops = { asked: 0, all: 0, told: 0, begun: 0, done: 0 }));
    return drops;
  }
}

function endsUpdater(call: OperatorCall): boolean {
  return call === 'deactivate' || call === 'changeState';
}
