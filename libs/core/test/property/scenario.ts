import * as fc from 'fast-check';

/** How one attempt ends. */
export type AttemptResult =
  'ack' | 'nothing' | 'discard' | 'stop' | 'stopDiscard' | 'continue' | 'discardContinue' | 'throw' | 'invalid';

/** When a callback ends: inside the call, a microtask later, or when the scenario opens its gate (perhaps never). */
export type Pace = 'now' | 'soon' | 'gate';

export interface Attempt {
  readonly pace: Pace;
  readonly result: AttemptResult;
  readonly call?: Call | undefined;
}

/** What a callback or a listener asks of a service, of its own process or of another one. */
export interface Call {
  readonly type: 'direct' | 'signal' | 'wantUpdater' | 'park' | 'resume' | 'drop' | 'publish';
  /** Left out: the key that the callback or the event is about. */
  readonly key: number | undefined;
  readonly at: number;
  /** Whether a callback waits for the answer; a listener cannot. */
  readonly awaited: boolean;
}

/** A listener calls back after so many events. */
export interface Reaction {
  readonly skip: number;
  readonly call: Call;
}

/** How one callback that is no attempt ends. */
export interface Turnout {
  readonly pace: Pace;
  readonly ok: boolean;
  readonly call?: Call | undefined;
}

export interface Settings {
  readonly shards: number;
  readonly prefetch: number;
  readonly concurrency: number;
  readonly attempts: number;
  readonly onExhausted: 'deadLetter' | 'park';
  readonly idleTimeout: number;
  readonly maxLiveKeys: number;
  readonly drainTimeout: number;
  readonly sideQueueLimit: number;
  readonly pressureAge: number;
  readonly capacity: number;
  /** Dead letters above which the broker refuses more. */
  readonly deadLetterLimit: number;
  /** The constant that stands for chance in backoffs. */
  readonly jitter: number;
}

export type Action =
  | { readonly type: 'publish'; readonly key: number; readonly plan: readonly Attempt[]; readonly garbled: boolean }
  | { readonly type: 'direct'; readonly key: number; readonly at: number; readonly plan: readonly Attempt[] }
  | { readonly type: 'signal' | 'wantUpdater'; readonly key: number; readonly at: number }
  | { readonly type: 'park' | 'resume' | 'drop'; readonly key: number }
  | { readonly type: 'open'; readonly gate: number; readonly result: AttemptResult }
  | { readonly type: 'lose' | 'handOver'; readonly shard: number; readonly to: number }
  | { readonly type: 'doubt' | 'confirm' | 'garbage'; readonly shard: number }
  | { readonly type: 'stop' | 'crash'; readonly at: number }
  | { readonly type: 'start' | 'block' | 'unblock' | 'takeLetters' }
  | { readonly type: 'advance'; readonly by: number };

export interface Step {
  readonly action: Action;
  /** What comes to rest before the next step: nothing, a microtask, everything. */
  readonly pause: 'nothing' | 'microtask' | 'rest';
}

export interface Scenario {
  readonly settings: Settings;
  /** What `init`, `handleSignal`, `handleContinue` and `terminate` do, in the order of their calls; then they succeed. */
  readonly turnouts: readonly Turnout[];
  /** What listeners of events do, one after the other. */
  readonly reactions: readonly Reaction[];
  readonly steps: readonly Step[];
}

/** Milliseconds; the same in every scenario. */
export const HANDLER_TIMEOUT = 2_000;
export const SIGNAL_TIMEOUT = 1_500;
export const KEYS = 4;

const pace = fc.constantFrom<Pace>('now', 'soon', 'gate', 'gate');
const result = fc.oneof(
  { weight: 4, arbitrary: fc.constant<AttemptResult>('ack') },
  { weight: 4, arbitrary: fc.constant<AttemptResult>('throw') },
  {
    weight: 6,
    arbitrary: fc.constantFrom<AttemptResult>(
      'nothing',
      'discard',
      'stop',
      'stopDiscard',
      'continue',
      'discardContinue',
      'invalid',
    ),
  },
);
const key = fc.nat(KEYS - 1);
const at = fc.nat(3);
const call: fc.Arbitrary<Call> = fc.record({
  type: fc.constantFrom<Call['type']>(
    'direct',
    'direct',
    'signal',
    'signal',
    'wantUpdater',
    'park',
    'resume',
    'drop',
    'publish',
  ),
  key: fc.option(key, { nil: undefined, freq: 4 }),
  at,
  awaited: fc.boolean(),
});
const perhaps = fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: call });
const plan = fc.array(fc.record({ pace, result, call: perhaps }), { maxLength: 4 });
const shard = fc.nat(2);

const of = <T extends Action['type'], R extends object>(
  type: T,
  rest: { [Name in keyof R]: fc.Arbitrary<R[Name]> },
): fc.Arbitrary<{ type: T } & R> => fc.record({ type: fc.constant(type), ...rest }) as fc.Arbitrary<{ type: T } & R>;

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 30, arbitrary: of('publish', { key, plan, garbled: fc.nat(19).map((n) => n === 19) }) },
  { weight: 16, arbitrary: of('open', { gate: fc.nat(7), result }) },
  {
    weight: 16,
    arbitrary: of('advance', { by: fc.constantFrom(0, 50, 100, 200, 500, 1_000, 2_000, 3_000, 5_000, 12_000) }),
  },
  { weight: 6, arbitrary: of('direct', { key, at, plan }) },
  { weight: 6, arbitrary: of('signal', { key, at }) },
  { weight: 1, arbitrary: of('wantUpdater', { key, at }) },
  { weight: 4, arbitrary: of('park', { key }) },
  { weight: 4, arbitrary: of('resume', { key }) },
  { weight: 2, arbitrary: of('drop', { key }) },
  { weight: 5, arbitrary: of('lose', { shard, to: at }) },
  { weight: 4, arbitrary: of('handOver', { shard, to: at }) },
  { weight: 2, arbitrary: of('confirm', { shard }) },
  { weight: 2, arbitrary: of('doubt', { shard }) },
  { weight: 1, arbitrary: of('garbage', { shard }) },
  { weight: 2, arbitrary: of('stop', { at }) },
  { weight: 1, arbitrary: of('crash', { at }) },
  { weight: 3, arbitrary: of('start', {}) },
  { weight: 1, arbitrary: of('block', {}) },
  { weight: 2, arbitrary: of('unblock', {}) },
  { weight: 1, arbitrary: of('takeLetters', {}) },
);

const settings: fc.Arbitrary<Settings> = fc.record({
  shards: fc.integer({ min: 1, max: 3 }),
  prefetch: fc.integer({ min: 1, max: 8 }),
  concurrency: fc.constantFrom(1, 2, Infinity),
  attempts: fc.constantFrom(1, 2, 3, Infinity),
  onExhausted: fc.constantFrom('deadLetter', 'park'),
  idleTimeout: fc.constantFrom(700, 4_000, 30_000),
  maxLiveKeys: fc.constantFrom(1, 2, Infinity),
  drainTimeout: fc.constantFrom(0, 800, 5_000),
  sideQueueLimit: fc.constantFrom(1, 3, 100),
  pressureAge: fc.constantFrom(300, 3_000, 600_000),
  capacity: fc.constantFrom(3, 1_000),
  deadLetterLimit: fc.constantFrom(1, 1_000),
  jitter: fc.constantFrom(0.2, 0.5, 1),
});

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  settings,
  turnouts: fc.array(
    fc.record({
      pace: fc.constantFrom<Pace>('now', 'soon', 'soon', 'gate'),
      ok: fc.nat(3).map((n) => n > 0),
      call: perhaps,
    }),
    {
      maxLength: 12,
    },
  ),
  reactions: fc.array(fc.record({ skip: fc.nat(5), call }), { maxLength: 6 }),
  steps: fc.array(
    fc.record({ action, pause: fc.constantFrom<Step['pause']>('rest', 'rest', 'rest', 'microtask', 'nothing') }),
    { minLength: 1, maxLength: 50, size: 'max' },
  ),
});
