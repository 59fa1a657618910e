/** A key as the choice of its next step sees it. */
export interface KeyState {
  /** Something of the key still runs in an earlier epoch. */
  readonly preceded: boolean;
  /** `handleContinue` is due. */
  readonly continues: boolean;
  /** A discard asked for something that must wait until its dead letter is certain. */
  readonly awaitsDeadLetter: boolean;
  readonly updater: 'none' | 'live' | 'ending';
  /** Whether a commit is pending: what is not to run on a state that may be undone waits for it. */
  readonly committing: boolean;
  /** Whether so much is uncommitted that no other callback may start. */
  readonly full: boolean;
  /** The epoch ends for this key: nothing starts any more. */
  readonly closing: boolean;
  /** Whether the head of the FIFO may start, as far as the key goes, or waits for the confirm of its dead letter. */
  readonly head: 'none' | 'ready' | 'settling';
  /** Whether the shard is certain to be ours. */
  readonly ownership: 'certain' | 'uncertain' | 'suspended';
  /** Whether the key has an attempt slot. */
  readonly slot: 'none' | 'requested' | 'granted';
  /** Signals whose callers still wait. */
  readonly signals: number;
  /** How many of them go before the next message: those that waited when the last one ended. */
  readonly signalsFirst: number;
  /** Whether they wait for the next round of the event loop. */
  readonly signalsPaused: boolean;
}

/**
 * What a key does next. Four of the steps run a callback and take a turn: `continuation`, `termination`, `signal`,
 * `attempt`, which needs a slot first. The others change the key's state without a callback: `endUpdater` (the data updater is to
 * be terminated, since the epoch ends), `verification` (the broker is asked whether the shard is still ours). `nothing`:
 * it rests.
 */
export type Step = 'nothing' | 'continuation' | 'termination' | 'signal' | 'attempt' | 'endUpdater' | 'verification';

/**
 * Chooses the next step of a key that runs nothing. A continuation comes first, then the end of the data updater, then
 * signals and messages alternate. With a store a continuation, the end of a data updater and the start of one wait until nothing of
 * the key is uncommitted.
 */
export function nextStep(key: KeyState): Step {
  if (key.preceded) return 'nothing';
  const { committing } = key;
  if (key.continues) return committing ? 'nothing' : 'continuation';
  if (key.awaitsDeadLetter) return 'nothing';
  const { updater } = key;
  if (committing && updater !== 'live') return 'nothing';
  if (updater === 'ending') return 'termination';
  if (key.closing) return updater === 'none' || key.head === 'settling' ? 'nothing' : 'endUpdater';
  if (key.full) return 'nothing';
  const { signals } = key;
  if (key.head === 'ready' && key.slot !== 'requested' && (signals === 0 || key.signalsFirst === 0)) {
    const { ownership } = key;
    if (ownership === 'certain') return 'attempt';
    if (ownership === 'uncertain') return 'verification';
  }
  return signals > 0 && !key.signalsPaused ? 'signal' : 'nothing';
}
