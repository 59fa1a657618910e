import { REPLAY_HEADER, type KeyReport } from '@mississippi/core';
import type { OperatorCall } from '@mississippi/history';
import type { RecordedOperator } from '../recorded-operator.js';
import { underLoad, type Action } from './key-actions.js';
import { round, type Load } from './load.js';

/** Calls under way at once; those about one key follow each other. */
const PARALLEL = 6;
/** A shard is lost each so many steps, where any is. */
const LOSS = 40;
const RARE = 'rare';

type KeyCall = Extract<OperatorCall, 'pause' | 'resume' | 'retry' | 'drop' | 'dropAll' | 'deactivate'>;

const typeOf = ({ seq }: { readonly seq: number }): string => (seq % 31 === 9 ? RARE : 'usual');

/** What a call may be refused with: the key has gone on meanwhile, or its shard is lost. */
const REFUSALS = [
  'head_not_waiting',
  'head_changed',
  'key_not_parked',
  'operator_timeout',
  'no_owner',
  'shard_not_owned',
  'signal_outcome_unknown',
  'replay_stopped',
  'dead_letters_busy',
];

/** What somebody might do about a key, the likely things more often. */
function choicesFor(report: KeyReport | undefined): readonly KeyCall[] {
  if (report?.parkedState === 'held')
    return ['resume', 'resume', 'resume', 'resume', 'retry', 'drop', 'dropAll', 'deactivate'];
  if (report?.state === 'backoff') return ['retry', 'retry', 'retry', 'retry', 'drop', 'drop', 'pause', 'deactivate'];
  return ['pause', 'deactivate', 'drop', 'retry'];
}

/** Somebody who does whatever can be done, in any order. */
class Meddler {
  private readonly busy = new Set<string>();
  private readonly done = new Map<string, number>();
  private steps = 0;
  private typePaused = false;

  /** Who drops a message of a shard that is lost meanwhile is not told what became of it. */
  private readonly operator: RecordedOperator;

  constructor(
    private readonly load: Load,
    private readonly losses: boolean,
  ) {
    this.operator = load.operatorOf(0, losses ? { timeout: 200 } : {});
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: PARALLEL }, () => this.meddle()));
    await this.letters();
    await this.letters();
    expect([...this.done.keys()].toSorted()).toEqual(
      ['deactivate', 'drop', 'dropAll', 'pause', 'pauseType', 'replay', 'resume', 'resumeType', 'retry'].toSorted(),
    );
  }

  /** Everything may go on again. */
  async free(): Promise<void> {
    const { load } = this;
    if (this.typePaused) await this.type();
    while (load.history.isOpen) {
      for (const key of load.keys) {
        const report = await load.operator.inner.key(key);
        if (report?.parkedState === 'held') await this.call(key, 'resume');
        else if (report?.state === 'backoff') await this.call(key, 'retry');
      }
      await round();
    }
  }

  private async meddle(): Promise<void> {
    while (this.steps < (this.load.options.steps ?? 800)) {
      const step = ++this.steps;
      if (this.losses && step % LOSS === 0) this.load.lose(this.load.random.pick(this.load.shards));
      if (step % 100 === 50) await this.type();
      else if (step % 150 === 75) await this.letters();
      else await this.about(this.load.random.pick(this.load.keys));
      await round();
    }
  }

  private async about(key: string): Promise<void> {
    if (this.busy.has(key)) return;
    this.busy.add(key);
    const report = await this.tolerant('key', () => this.load.operator.inner.key(key));
    await this.call(key, this.load.random.pick(choicesFor(report)));
    this.busy.delete(key);
  }

  private async call(key: string, call: KeyCall): Promise<void> {
    const { operator } = this;
    // A key that is paused with nothing of it there is free in the next epoch, of which the checker knows nothing.
    const unrecorded = call === 'pause' && this.losses;
    await this.tolerant(call, async () => {
      await (unrecorded ? operator.inner.pause(key) : operator[call](key));
      this.did(call);
    });
  }

  private async type(): Promise<void> {
    const { operator } = this.load;
    this.typePaused = !this.typePaused;
    this.did(this.typePaused ? 'pauseType' : 'resumeType');
    await (this.typePaused ? operator.pauseType(RARE) : operator.resumeType(RARE));
  }

  private async letters(): Promise<void> {
    const replayed = await this.tolerant('replay', () => this.load.operator.inner.replay({}, { rate: 5_000 }));
    if (replayed !== undefined && replayed.done > 0) this.did('replay');
  }

  private did(call: string): void {
    this.done.set(call, (this.done.get(call) ?? 0) + 1);
  }

  /** Returns nothing where it is refused. */
  private async tolerant<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== undefined && REFUSALS.includes(code)) return undefined;
      throw new Error(`${what} was refused: ${String(error)}`, { cause: error });
    }
  }
}

/** Whatever operators do, in whatever order, no promise is broken. */
const meddle =
  (losses: boolean): Action =>
  (options) =>
    underLoad({ typeOf, ...options }, async (load) => {
      load.trouble = ({ seq }, { attempt, headers }) => {
        if (seq % 23 === 5 && attempt === 1) return 'fails';
        return seq % 29 === 7 && headers[REPLAY_HEADER] === undefined ? 'discards' : 'none';
      };
      const meddler = new Meddler(load, losses);
      await meddler.run();
      load.trouble = () => 'none';
      await load.calm();
      await meddler.free();
    });

export const anything = meddle(false);
export const anythingAmongLosses = meddle(true);
