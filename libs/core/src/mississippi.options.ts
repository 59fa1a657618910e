import type { ConfigurableModuleAsyncOptions } from '@nestjs/common';
import type { BackoffFunction, ErrorRule } from './interfaces/failure.interface.js';
import type { PayloadFormat } from './interfaces/payload-codec.interface.js';
import type { Redact } from './interfaces/redact.interface.js';
import type { SignalFormat } from './interfaces/signal-format.interface.js';
import type { StateFormat } from './interfaces/state-format.interface.js';
import { DEFAULT_KEY_KINDS, type KeyKind } from './keys/key-kinds.js';
import { IsPayloadFormat } from './options/is-payload-format.js';
import { IsStateFormat } from './options/is-state-format.js';
import { IsSignalFormat } from './options/is-signal-format.js';
import type { Store } from './store/store.interface.js';
import type { Telemetry } from './telemetry/telemetry.interface.js';
import type { Transport } from './transport/transport.interface.js';
import {
  Allow,
  expects,
  IsBoolean,
  IsCount,
  IsFunction,
  IsIn,
  IsInstanceName,
  IsKeyKinds,
  IsMilliseconds,
  IsStore,
  IsTelemetry,
  IsTransport,
  IsTypeSource,
  Nested,
  NestedOrFunction,
  Optional,
} from './options/validators.js';

const HOUR = 3_600_000;

/**
 * Where the type of a message is.
 * @publicApi
 */
export type TypeSource = 'property' | { readonly header: string } | { readonly payload: string };

/**
 * What becomes of a message whose type nobody claims.
 * @publicApi
 */
export type UnknownTypeRule = 'park' | 'deadLetter' | 'ack';

/**
 * Exponential backoff with full jitter: the n-th wait is a random time up to `min(max, initial * 2 ** (n - 1))`.
 * @publicApi
 */
export class BackoffOptions {
  /** Upper bound of the first wait. Milliseconds, default 100. */
  @Optional()
  @IsMilliseconds()
  initial?: number;

  /** Upper bound of every wait. Milliseconds, default 10,000. */
  @Optional()
  @IsMilliseconds()
  max?: number;
}

/**
 * What happens when a message's handler fails. The key stays blocked while its message is retried; other keys go on.
 * @publicApi
 */
export class FailurePolicyOptions {
  /** Attempts at one message in all, in one process; `Infinity` is allowed. Default 5. */
  @Optional()
  @IsCount({ infinity: true })
  attempts?: number;

  /**
   * How long to wait before the next attempt, and before the next `init` where that failed: bounds, or a function that gets
   * the failure. Where the function returns nothing the ordinary backoff applies; so it does, with an error in the log,
   * where it throws or returns anything but a number from 0 on that is not infinite.
   */
  @Optional()
  @NestedOrFunction(() => BackoffOptions)
  backoff?: BackoffOptions | BackoffFunction;

  /**
   * After the last attempt: `'deadLetter'` (default) publishes the message to the dead letters and goes on with the key's
   * next; `'park'` moves it and every later message of the key to the side queue, in order, until an operator resumes the key.
   */
  @Optional()
  @IsIn(['deadLetter', 'park'])
  onExhausted?: 'deadLetter' | 'park';

  /**
   * Asked after each failed attempt, a time-out among them: `'discard'` dead-letters the message at once (`discarded`),
   * `'park'` parks its key at once, `'retry'` or nothing leaves it to `attempts` and `onExhausted`; so does a rule that
   * throws or returns anything else, with an error in the log. A direct message, of the service's `handleMessage`, is never
   * dead-lettered or parked: its caller gets the error. Not asked about a failing `init`, nor about a payload that cannot
   * be decoded or validated.
   * @example onError: (error) => (error instanceof UnknownDevice ? 'discard' : undefined)
   */
  @Optional()
  @IsFunction()
  onError?: ErrorRule;
}

/**
 * The options of one instance of the module, as `forRoot` and the factories of `forRootAsync` give them.
 * @publicApi
 */
export class MississippiOptions {
  /** The plugin that carries the messages. Default `memory()`: embedded, in this process, lost with it. */
  @Optional()
  @IsTransport()
  transport?: Transport;

  /**
   * The plugin that keeps what must outlive this process: the state of each key, what was handled, and what handlers publish, all in one
   * commit. Left out, a key's state is a cache that `init` can rebuild.
   */
  @Optional()
  @IsStore()
  store?: Store;

  /** The plugin that makes traces and metrics, such as `openTelemetry()` of `@mississippi/opentelemetry`. Left out, there are none, and nothing is spent on them. */
  @Optional()
  @IsTelemetry()
  telemetry?: Telemetry;

  /** How long to wait at the start for a store that cannot be reached yet. Milliseconds, default 0: the start fails at once. */
  @Optional()
  @IsMilliseconds({ infinity: true })
  storeStartTimeout?: number;

  /** How states are kept, unless the handler's decorator says otherwise. Default `'json'`. Only with a store. */
  @Optional()
  @IsStateFormat()
  state?: StateFormat;

  /** Version of the form of the states: with a higher one than is stored, `migrate` of the handler is called. Default 1. */
  @Optional()
  @IsCount()
  stateVersion?: number;

  /** The largest state, encoded. Bytes, default 1,000,000. */
  @Optional()
  @IsCount()
  stateLimit?: number;

  /** How long a state stays without a message of its key. Milliseconds, default `Infinity`. */
  @Optional()
  @IsMilliseconds({ min: 1, infinity: true })
  stateTtl?: number;

  /**
   * How long the store remembers a handled message, so that a repeat of it is not handled again. Milliseconds, default 86,400,000
   * (24 hours).
   */
  @Optional()
  @IsMilliseconds({ min: 1 })
  inboxHorizon?: number;

  /** Publish only: no handler is looked for and no shard is claimed. Default `false`. */
  @Optional()
  @IsBoolean()
  producerOnly?: boolean;

  /** How payloads travel, unless the handler's decorator says otherwise. Default `'json'`. */
  @Optional()
  @IsPayloadFormat()
  payload?: PayloadFormat;

  /**
   * How signals and their answers travel, in one process as between two, unless the handler's decorator says otherwise.
   * Default `'json'`.
   */
  @Optional()
  @IsSignalFormat()
  signals?: SignalFormat;

  /**
   * The kinds of sharding keys that callers may give, unless the handler's decorator says otherwise, such as `'string'`.
   * Default `['string', 'integer', 'bytes', 'list']`. A message that is delivered is handled whatever its key is.
   */
  @Optional()
  @IsKeyKinds()
  keys?: KeyKind | readonly KeyKind[];

  /** How many attempts may run at once in this process, shared fairly between keys; backoffs and signals do not count. Default `Infinity`. */
  @Optional()
  @IsCount({ infinity: true })
  concurrency?: number;

  /**
   * How long a callback may run before its `AbortSignal` fires; one second later it is abandoned. Milliseconds, default
   * 300,000 (5 minutes), at most a third of the transport's delivery time-out.
   */
  @Optional()
  @IsMilliseconds({ min: 1, infinity: true })
  handlerTimeout?: number;

  /** How long `handleSignal` of the service waits for the answer. Milliseconds, default 5,000. */
  @Optional()
  @IsMilliseconds({ min: 1, infinity: true })
  signalTimeout?: number;

  /** How long `publish` waits for the confirm. Milliseconds, default 30,000. */
  @Optional()
  @IsMilliseconds({ min: 1, infinity: true })
  publishTimeout?: number;

  /** How long a data updater without work stays. Milliseconds, default 10,800,000 (3 hours). */
  @Optional()
  @IsMilliseconds({ min: 1, infinity: true })
  idleTimeout?: number;

  /**
   * Live keys above which the one that was idle the longest is deactivated, or one that waits for its turn; while a callback
   * runs, none is. Default `Infinity`.
   */
  @Optional()
  @IsCount({ infinity: true })
  maxLiveKeys?: number;

  /** How long a shutdown waits for queued embedded messages and running handlers before it aborts these. Milliseconds, default 30,000. */
  @Optional()
  @IsMilliseconds({ infinity: true })
  drainTimeout?: number;

  /** How many parked messages a shard may hold before it stalls; its owner keeps the id of each in memory. Default 10,000. */
  @Optional()
  @IsCount()
  sideQueueLimit?: number;

  /**
   * How old an unfinished head may grow in retries, or behind slow messages, before its key is parked under pressure. Never
   * more than a third of the time after which the transport's broker takes a delivery back. Milliseconds, default 600,000
   * (10 minutes).
   */
  @Optional()
  @IsMilliseconds({ min: 1, infinity: true })
  pressureAge?: number;

  /**
   * A callback that runs is named in the log, with its key and its age, each time it has run for so long again; an operator sees
   * its key as `hanging`. Milliseconds, default 60,000; `Infinity`: never.
   */
  @Optional()
  @IsMilliseconds({ min: 1, infinity: true })
  hangingInterval?: number;

  /**
   * Whether `MississippiOperator` of another process may act on keys of this one (retry, drop, pause, resume, deactivate), pause its intake, and
   * pause types of messages while this process takes part. Looks are always answered. It guards against accidents: whoever may write to the broker can do worse. Default `true`.
   */
  @Optional()
  @IsBoolean()
  remoteOperator?: boolean;

  @Optional()
  @Nested(() => FailurePolicyOptions)
  failurePolicy?: FailurePolicyOptions;

  /**
   * Where the type of a message is, by which `@OnMessage(type)` finds the method: `'property'` (default), the message's property `type`;
   * `{ header: name }`; or `{ payload: name }`, a member of the decoded payload. What is no text is no type.
   */
  @Optional()
  @IsTypeSource()
  typeFrom?: TypeSource;

  /**
   * What becomes of a message whose type no method claims, where the handler has methods with `@OnMessage` and nothing for all other
   * types: `'park'` (default) parks its key, in order, until the key is resumed or another process takes over its shard, a newer one
   * say; `'deadLetter'` publishes it to the dead letters (`unknown_type`); `'ack'` settles it, and it is gone. The caller of a direct
   * message gets `UnknownMessageTypeError`, but with `'ack'`.
   */
  @Optional()
  @IsIn(['park', 'deadLetter', 'ack'])
  onUnknownType?: UnknownTypeRule;

  /**
   * How keys appear in the log and in the texts of the library's errors: `'plain'` (default), or `'hashed'` where they say
   * something about people. `keyDigest(key)` gives the digest that stands for a key. What your own errors and payload
   * validators say is logged as it is.
   */
  @Optional()
  @IsIn(['plain', 'hashed'])
  logKeys?: 'plain' | 'hashed';

  /**
   * What `MississippiOperator` shows of payloads and states, for people who may not see all of them: it gets each before it is shown, and
   * what it returns is shown in its place. What it throws shows nothing.
   */
  @Optional()
  @IsFunction()
  redact?: Redact;

  /** Apply the app-wide guards, pipes, interceptors and filters to the handler too. Default `false`. */
  @Optional()
  @IsBoolean()
  inheritAppConfig?: boolean;
}

/**
 * What `forRoot` takes: the options, and what must be known before any factory runs.
 * @publicApi
 */
export class RegistrationOptions extends MississippiOptions {
  /** Name of the instance, for apps with several. Default `'default'`. */
  @Optional()
  @IsInstanceName()
  name?: string;

  /** Whether other modules can inject its services without importing it. Default `false`. */
  @Optional()
  @IsBoolean()
  global?: boolean;
}

/**
 * What `forRootAsync` takes: where the options come from, as with any Nest module, and the same two.
 * @publicApi
 */
export type AsyncRegistrationOptions = ConfigurableModuleAsyncOptions<MississippiOptions, 'createMississippiOptions'> &
  Pick<RegistrationOptions, 'name' | 'global'>;

const SOURCES = ['useFactory', 'useClass', 'useExisting'] as const;

/** What is checked of it when the app starts. What the values are good for, Nest says. */
export class AsyncRegistration implements Pick<RegistrationOptions, 'name' | 'global'> {
  @Optional()
  @IsInstanceName()
  name?: string;

  @Optional()
  @IsBoolean()
  global?: boolean;

  @expects(
    (_value, { object }) => SOURCES.some((source) => (Reflect.get(object, source) ?? undefined) !== undefined),
    'useFactory, useClass or useExisting was expected',
  )
  useFactory?: unknown;

  @Allow()
  useClass?: unknown;

  @Allow()
  useExisting?: unknown;

  @Allow()
  inject?: unknown;

  @Allow()
  imports?: unknown;

  @Allow()
  provideInjectionTokensFrom?: unknown;
}

/**
 * What `@MessageHandler(...)` takes. What is left out comes from `forRoot`.
 * @publicApi
 */
export class MessageHandlerOptions {
  /** Name of the instance whose messages the class handles. Default `'default'`. */
  @Optional()
  @IsInstanceName()
  instance?: string;

  @Optional()
  @IsPayloadFormat()
  payload?: PayloadFormat;

  /** A caller in an app without the handler, such as one with `producerOnly`, needs the same in `forRoot`. */
  @Optional()
  @IsSignalFormat()
  signals?: SignalFormat;

  @Optional()
  @IsKeyKinds()
  keys?: KeyKind | readonly KeyKind[];

  @Optional()
  @IsStateFormat()
  state?: StateFormat;

  @Optional()
  @IsCount()
  stateVersion?: number;

  @Optional()
  @IsMilliseconds({ min: 1, infinity: true })
  stateTtl?: number;

  @Optional()
  @IsMilliseconds({ min: 1 })
  inboxHorizon?: number;

  @Optional()
  @Nested(() => FailurePolicyOptions)
  failurePolicy?: FailurePolicyOptions;

  @Optional()
  @IsTypeSource()
  typeFrom?: TypeSource;

  @Optional()
  @IsIn(['park', 'deadLetter', 'ack'])
  onUnknownType?: UnknownTypeRule;

  @Optional()
  @IsBoolean()
  inheritAppConfig?: boolean;
}

/** The options with every default filled in, as the engine reads them. */
export interface ResolvedOptions {
  readonly instance: string;
  readonly producerOnly: boolean;
  readonly payload: PayloadFormat;
  readonly signals: SignalFormat;
  readonly keys: readonly KeyKind[];
  readonly state: StateFormat;
  readonly stateVersion: number;
  readonly stateLimit: number;
  readonly stateTtl: number;
  readonly inboxHorizon: number;
  readonly storeStartTimeout: number;
  readonly concurrency: number;
  readonly handlerTimeout: number;
  readonly signalTimeout: number;
  readonly publishTimeout: number;
  readonly idleTimeout: number;
  readonly maxLiveKeys: number;
  readonly drainTimeout: number;
  readonly sideQueueLimit: number;
  readonly pressureAge: number;
  readonly hangingInterval: number;
  readonly remoteOperator: boolean;
  readonly redact: Redact | undefined;
  readonly logKeys: 'plain' | 'hashed';
  readonly inheritAppConfig: boolean;
  readonly typeFrom: TypeSource;
  readonly onUnknownType: UnknownTypeRule;
  readonly failurePolicy: ResolvedFailurePolicy;
}

/** A failure policy with every default filled in. */
export interface ResolvedFailurePolicy {
  readonly attempts: number;
  readonly backoff: { readonly initial: number; readonly max: number };
  /** Goes before `backoff`, where it says something. */
  readonly waits: BackoffFunction | undefined;
  readonly onExhausted: 'deadLetter' | 'park';
  readonly onError: ErrorRule | undefined;
}

/** Fills in the defaults; what the handler's decorator says goes before what the module says. */
export function resolveOptions(
  instance: string,
  options: MississippiOptions,
  handler: MessageHandlerOptions = {},
): ResolvedOptions {
  return {
    instance,
    producerOnly: options.producerOnly ?? false,
    payload: handler.payload ?? options.payload ?? 'json',
    signals: handler.signals ?? options.signals ?? 'json',
    keys: [handler.keys ?? options.keys ?? DEFAULT_KEY_KINDS].flat(),
    state: handler.state ?? options.state ?? 'json',
    stateVersion: handler.stateVersion ?? options.stateVersion ?? 1,
    stateLimit: options.stateLimit ?? 1_000_000,
    stateTtl: handler.stateTtl ?? options.stateTtl ?? Infinity,
    inboxHorizon: handler.inboxHorizon ?? options.inboxHorizon ?? 24 * HOUR,
    storeStartTimeout: options.storeStartTimeout ?? 0,
    concurrency: options.concurrency ?? Infinity,
    handlerTimeout: options.handlerTimeout ?? 300_000,
    signalTimeout: options.signalTimeout ?? 5_000,
    publishTimeout: options.publishTimeout ?? 30_000,
    idleTimeout: options.idleTimeout ?? 3 * HOUR,
    maxLiveKeys: options.maxLiveKeys ?? Infinity,
    drainTimeout: options.drainTimeout ?? 30_000,
    sideQueueLimit: options.sideQueueLimit ?? 10_000,
    pressureAge: options.pressureAge ?? 600_000,
    hangingInterval: options.hangingInterval ?? 60_000,
    remoteOperator: options.remoteOperator ?? true,
    redact: options.redact,
    logKeys: options.logKeys ?? 'plain',
    inheritAppConfig: handler.inheritAppConfig ?? options.inheritAppConfig ?? false,
    typeFrom: handler.typeFrom ?? options.typeFrom ?? 'property',
    onUnknownType: handler.onUnknownType ?? options.onUnknownType ?? 'park',
    failurePolicy: resolvePolicy(handler.failurePolicy, options.failurePolicy),
  };
}

/** @param policies those that go first come first */
export function resolvePolicy(...policies: (FailurePolicyOptions | undefined)[]): ResolvedFailurePolicy {
  // Read one by one, since a user's class may have getters for them.
  const policy = <K extends keyof FailurePolicyOptions>(name: K) =>
    firstOf(policies.map((given) => ownOf(given, name)));
  const bounds = (name: keyof BackoffOptions) => firstOf(policies.map((given) => boundsOf(given)?.[name]));
  const backoff = policy('backoff');
  return {
    attempts: policy('attempts') ?? 5,
    backoff: { initial: bounds('initial') ?? 100, max: bounds('max') ?? 10_000 },
    waits: typeof backoff === 'function' ? backoff : undefined,
    onExhausted: policy('onExhausted') ?? 'deadLetter',
    onError: policy('onError'),
  };
}

/** One option of a policy. A method of a user's class keeps its `this`. */
function ownOf<K extends keyof FailurePolicyOptions>(
  policy: FailurePolicyOptions | undefined,
  name: K,
): FailurePolicyOptions[K] {
  const value: unknown = policy?.[name];
  return (typeof value === 'function' ? value.bind(policy) : value) as FailurePolicyOptions[K];
}

function boundsOf(policy: FailurePolicyOptions | undefined): BackoffOptions | undefined {
  const backoff = policy?.backoff;
  return typeof backoff === 'function' ? undefined : backoff;
}

function firstOf<T>(values: readonly T[]): T | undefined {
  return values.find((value) => value !== undefined);
}
