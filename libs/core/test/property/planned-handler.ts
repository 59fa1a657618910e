import { keyText, RecordedCallback, refOfId, type CallbackName, type Outcome } from '@mississippi/history';
import { ack, discard, ok, reply, stop } from '../../src/index.js';
import type { CallbackContext, DataUpdaterHandler, MessageContext, TerminateReason } from '../../src/index.js';
import type { Clock } from '../../src/clock/clock.interface.js';
import type { MessageOutcome, Ok, Reply } from '../../src/outcomes.js';
import type { Attempt, AttemptResult, Call, Turnout } from './scenario.js';
import type { TransportProcess } from './test-transport.js';

/** What the handler of the scenario throws. */
export class PlannedFailure extends Error {}

/** A callback that waits until the scenario lets it go on. */
export interface Gate {
  readonly process: TransportProcess;
  open(result: AttemptResult): void;
}

/** What a handler needs of the world around it. */
export interface PlannedWorld {
  readonly clock: Clock;
  readonly gates: Gate[];
  /** How the next attempt at a message goes. */
  nextAttempt(id: string): Attempt;
  /** How the next callback goes that is no attempt. */
  nextTurnout(): Turnout;
  /** Calls a service from inside a callback of a key; `undefined` where nobody could answer. */
  call(process: TransportProcess, key: string, call: Call): Promise<unknown> | undefined;
}

/** Its message's id. */
export type PlannedPayload = { readonly message: string } | { readonly direct: string };

const OUTCOMES: Partial<Record<AttemptResult, Outcome>> = {
  throw: 'failed',
  invalid: 'failed',
  discard: 'discarded',
  discardContinue: 'discarded',
  stopDiscard: 'discarded',
};
const CHANGES: Partial<Record<AttemptResult, 'keeps' | 'stops'>> = {
  nothing: 'keeps',
  stop: 'stops',
  stopDiscard: 'stops',
};

/** Does what the scenario says, and has it recorded. */
export class PlannedHandler implements DataUpdaterHandler<number, PlannedPayload, string, string, string> {
  constructor(
    private readonly world: PlannedWorld,
    private readonly process: TransportProcess,
  ) {}

  init(_key: unknown, context: CallbackContext): number | Promise<number> {
    return this.callback('init', undefined, context, (state) => state);
  }

  handleMessage(
    payload: PlannedPayload,
    state: number,
    context: MessageContext,
  ): MessageOutcome<number> | void | Promise<MessageOutcome<number> | void> {
    if (!this.process.alive) return never();
    const id = 'direct' in payload ? payload.direct : payload.message;
    const message = { ...refOfId(id), key: keyText(context.key) };
    const run = new RecordedCallback(this.process.recorder, 'handleMessage', context, state, message);
    return this.run(run, this.world.nextAttempt(id), outcome);
  }

  handleSignal(
    _signal: string,
    state: number,
    context: CallbackContext,
  ): Reply<number, string> | Promise<Reply<number, string>> {
    return this.callback('handleSignal', state, context, (next) => reply('answer', next));
  }

  handleContinue(_arg: unknown, state: number, context: CallbackContext): Ok<number> | Promise<Ok<number>> {
    return this.callback('handleContinue', state, context, (next) => ok(next));
  }

  terminate(_reason: TerminateReason, state: number, context: CallbackContext): void | Promise<void> {
    return this.callback('terminate', state, context, () => undefined);
  }

  private callback<T>(
    name: CallbackName,
    state: number | undefined,
    context: CallbackContext,
    answer: (state: number) => T,
  ): T | Promise<T> {
    if (!this.process.alive) return never();
    const { pace, ok: succeeds, call } = this.world.nextTurnout();
    const run = new RecordedCallback(this.process.recorder, name, context, state);
    return this.run(run, { pace, result: succeeds ? 'ack' : 'throw', call }, (_result, next) => answer(next));
  }

  private run<T>(
    run: RecordedCallback,
    { pace, result, call }: Attempt,
    answer: (result: AttemptResult, state: number) => T,
  ): T | Promise<T> {
    const asked = call === undefined ? undefined : this.world.call(this.process, run.key, call);
    if (asked !== undefined && call?.awaited === true) {
      // Whatever the answer is, the callback goes on.
      // If it is abandoned in the moment of the answer, then first: a history could not tell whether its end counts.
      const momentEnds = () => new Promise<void>((resolve) => void this.world.clock.after(0, resolve));
      return asked.then(momentEnds, momentEnds).then(() => this.finish(run, result, answer));
    }
    if (pace === 'now') return this.finish(run, result, answer);
    if (pace === 'soon') return Promise.resolve().then(() => this.finish(run, result, answer));
    return new Promise((resolve, reject) => {
      this.world.gates.push({
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
    run: RecordedCallback,
    result: AttemptResult,
    answer: (result: AttemptResult, state: number) => T,
  ): T {
    if (!this.process.alive) throw new PlannedFailure('the process has crashed');
    const effect = run.callback === 'handleMessage' || result === 'throw' ? result : 'ack';
    const state = run.end(OUTCOMES[effect] ?? 'ok', CHANGES[effect]);
    if (result === 'throw') throw new PlannedFailure('as planned');
    return answer(result, state);
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

function outcome(result: AttemptResult, state: number): MessageOutcome<number> | void {
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
      return stop('planned', { state });
    case 'stopDiscard':
      return stop('planned', { settle: 'discard', state });
    case 'invalid':
      return 'no outcome' as unknown as undefined;
    default:
      return ack(state);
  }
}
