import { ack, discard, ok, reply, stop } from '../../src/index.js';
import type { CallbackContext, DataUpdaterHandler, MessageContext, TerminateReason } from '../../src/index.js';
import type { CallbackName } from '../../src/engine/updaters/callback-run.js';
import type { MessageOutcome, Ok, Reply } from '../../src/outcomes.js';
import type { History } from './history.js';
import {
  keyText,
  type CallbackRecord,
  type DirectRecord,
  type EpochRecord,
  type KeyState,
  type MessageRecord,
} from './records.js';
import type { AttemptResult, Pace, Turnout } from './scenario.js';
import type { TransportProcess } from './watched-transport.js';

/** What the handler of the scenario throws. */
export class PlannedFailure extends Error {}

/** A callback that waits until the scenario lets it go on. */
export interface Gate {
  readonly process: TransportProcess;
  open(result: AttemptResult): void;
}

/** What a handler needs of the world around it. */
export interface PlannedWorld {
  readonly history: History;
  readonly gates: Gate[];
  /** From now on everything succeeds. */
  readonly healed: boolean;
  /** The next turn-out of a callback that is no attempt. */
  nextTurnout(): Turnout;
}

export type PlannedPayload = { readonly message: string } | { readonly direct: DirectRecord };

const FINE: Turnout = { pace: 'soon', ok: true };

/** Does what the scenario says, and tells the history. */
export class PlannedHandler implements DataUpdaterHandler<KeyState, PlannedPayload, string, string> {
  constructor(
    private readonly world: PlannedWorld,
    private readonly process: TransportProcess,
  ) {}

  init(_key: unknown, context: CallbackContext): KeyState | Promise<KeyState> {
    return this.turn('init', undefined, context, (state) => state);
  }

  handleMessage(
    payload: PlannedPayload,
    state: KeyState,
    context: MessageContext,
  ): MessageOutcome<KeyState> | void | Promise<MessageOutcome<KeyState> | void> {
    const { world } = this;
    const message = 'direct' in payload ? payload.direct : world.history.messageOf({ message: payload.message })!;
    const planned = world.healed ? undefined : message.plan[message.attempts];
    return this.run(
      'handleMessage',
      state,
      context,
      planned?.pace ?? 'soon',
      planned?.result ?? 'ack',
      message,
      outcome,
    );
  }

  handleSignal(
    _signal: string,
    state: KeyState,
    context: CallbackContext,
  ): Reply<KeyState, string> | Promise<Reply<KeyState, string>> {
    return this.turn('handleSignal', state, context, (next) => reply('answer', next));
  }

  handleContinue(_arg: unknown, state: KeyState, context: CallbackContext): Ok<KeyState> | Promise<Ok<KeyState>> {
    return this.turn('handleContinue', state, context, (next) => ok(next));
  }

  terminate(_reason: TerminateReason, state: KeyState, context: CallbackContext): void | Promise<void> {
    return this.turn('terminate', state, context, () => undefined);
  }

  private turn<T>(
    name: CallbackName,
    state: KeyState | undefined,
    context: CallbackContext,
    answer: (state: KeyState) => T,
  ): T | Promise<T> {
    const { pace, ok: succeeds } = this.world.healed ? FINE : this.world.nextTurnout();
    return this.run(name, state, context, pace, succeeds ? 'ack' : 'throw', undefined, (_result, next) => answer(next));
  }

  private run<T>(
    name: CallbackName,
    state: KeyState | undefined,
    context: CallbackContext,
    pace: Pace,
    result: AttemptResult,
    message: MessageRecord | DirectRecord | undefined,
    answer: (result: AttemptResult, state: KeyState) => T,
  ): T | Promise<T> {
    const { history, gates } = this.world;
    if (!this.process.alive) return never();
    const epoch: EpochRecord = history.epoch(this.process.name, context.shard, context.epoch);
    const run = history.updaters.started({ name, epoch, key: keyText(context.key), state, message });
    if (pace === 'now') return this.finish(run, result, answer);
    if (pace === 'soon') return Promise.resolve().then(() => this.finish(run, result, answer));
    return new Promise((resolve, reject) => {
      gates.push({
        process: this.process,
        open: (opened) => {
          try {
            resolve(this.finish(run, opened, answer));
          } catch (error) {
            reject(error);
          }
        },
      });
    });
  }

  private finish<T>(
    run: CallbackRecord,
    result: AttemptResult,
    answer: (result: AttemptResult, state: KeyState) => T,
  ): T {
    if (!this.process.alive) throw new PlannedFailure('the process has crashed');
    const isAttempt = run.name === 'handleMessage';
    const state = this.world.history.updaters.ended(run, isAttempt || result === 'throw' ? result : 'ok');
    if (result === 'throw') throw new PlannedFailure('as planned');
    return answer(result, state!);
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

function outcome(result: AttemptResult, state: KeyState): MessageOutcome<KeyState> | void {
  switch (result) {
    case 'nothing':
      return undefined;
    case 'discard':
      return discard('planned', state);
    case 'discardContinue':
      return discard('planned', state, { continue: 'planned' });
    case 'continue':
      return ack(state, { continue: 'planned' });
    case 'stop':
      return stop('planned', 'ack', state);
    case 'stopDiscard':
      return stop('planned', 'discard', state);
    case 'invalid':
      return 'no outcome' as unknown as undefined;
    default:
      return ack(state);
  }
}
