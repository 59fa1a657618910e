import type { LoggerService } from '@nestjs/common';
import { Subject, type Observable } from 'rxjs';
import type { Clock } from '../clock/clock.interface.js';
import { systemClock } from '../clock/system-clock.js';
import { DEFAULT_INSTANCE } from '../default-instance.js';
import { InvalidOptionsError, NoStoreError, NotStartedError, StoreHeldError } from '../errors/index.js';
import type { DataUpdaterHandler } from '../interfaces/data-updater-handler.interface.js';
import type { MississippiEvent } from '../interfaces/events.interface.js';
import type { LiveKey } from '../interfaces/live-key.interface.js';
import type { PayloadCodec } from '../interfaces/payload-codec.interface.js';
import type { EngineStatus, ProcessInfo } from '../interfaces/status.interface.js';
import { keyTextFor } from '../keys/key-text.js';
import { KeyEncoder } from '../keys/key-kinds.js';
import type { HandlerMethods } from '../methods/handler-methods.js';
import type { ResolvedFailurePolicy, ResolvedOptions, TypeSource } from '../mississippi.options.js';
import { codecOf } from '../payload/payload-format.js';
import { withTrace } from '../outgoing/with-trace.js';
import { encodeMessage as encodeOutgoing, encodePayload as encodePayloadBy } from '../outgoing/encode-message.js';
import type { Store } from '../store/store.interface.js';
import type { AroundCallback, BenchNote, UnfinishedWork } from '../testing/bench-work.interface.js';
import type { Telemetry, Trace } from '../telemetry/telemetry.interface.js';
import type { Destination, OutgoingMessage, Transport, TransportConnection } from '../transport/transport.interface.js';
import { AttemptSlots } from './base/attempt-slots.js';
import { EngineTelemetry } from './base/engine-telemetry.js';
import type { Environment } from './base/environment.js';
import { FailurePolicy } from './base/failure-policy.js';
import { EventSource } from './base/event-source.js';
import { ToldEvents } from './base/told-events.js';
import { guardedLogger } from './base/guarded-logger.js';
import { Log } from './base/log.js';
import { PausedTypes } from './base/paused-types.js';
import { Round } from './base/round.js';
import { SignalPace } from './base/signal-pace.js';
import type { DurableInstance } from './commits/durable-instance.js';
import { openDurably } from './commits/open-durably.js';
import { KeyCalls } from './key-calls.js';
import { describeKey } from './keys/describe-key.js';
import { LanePool } from './keys/lane.js';
import { DeadLetterCalls } from './operator/dead-letter-calls.js';
import { OperatorCalls } from './operator/operator-calls.js';
import { OperatorDesk } from './operator/operator-desk.js';
import { OwnerRequests } from './operator/owner-requests.js';
import { StateCalls } from './operator/state-calls.js';
import { Pauses } from './operator/pauses.js';
import type { ProducerPort } from './producer-port.js';
import type { Operated } from './shards/owned-shard.js';
import { EpochCounter, type EpochSource } from './shards/epoch-source.js';
import { Shards } from './shards/shards.js';
import { TransportLease } from './transport-lease.js';
import { insideCallbackOf, presentCaller } from './updaters/callback-scope.js';
import { Callbacks } from './updaters/callbacks.js';
import { unfinishedWork } from './unfinished.js';
import { Population } from './updaters/population.js';

/** How soon to look again whether a callback still runs, before everything stops. Milliseconds. */
const LOOK_AGAIN = 10;

/** What an engine needs besides its options. */
export interface EngineParts {
  readonly options: ResolvedOptions;
  /** Missing in producer-only apps. */
  readonly handler: DataUpdaterHandler | undefined;
  /** Methods of the handler for types and names, where there are some. */
  readonly methods?: HandlerMethods | undefined;
  /** Class name of the handler, for errors. */
  readonly handlerName: string;
  readonly logger: LoggerService;
  /** Where events go; completed by `stop`. */
  readonly events?: Subject<MississippiEvent>;
  readonly clock?: Clock;
  /** From 0 to below 1, for the jitter of backoffs. */
  readonly random?: () => number;
  readonly epochs?: EpochSource;
  /** Where states are kept. */
  readonly store?: Store | undefined;
  /** What makes traces and metrics. */
  readonly telemetry?: Telemetry | undefined;
  /** Called instead of each callback. */
  readonly around?: AroundCallback | undefined;
}

/** What there is once the engine is connected. */
interface Connected {
  readonly transport: TransportConnection;
  readonly shards: Shards;
  readonly calls: KeyCalls;
  readonly operator: OperatorCalls;
  readonly durable: DurableInstance | undefined;
}

/** The life of one instance of the module: it connects, consumes, and ends in good order. */
export class Engine implements ProducerPort {
  readonly codec: PayloadCodec;
  readonly keys: KeyEncoder;
  readonly population: Population;
  readonly slots: AttemptSlots;
  private readonly logger: LoggerService;
  private readonly pace: SignalPace;
  private readonly environment: Environment;
  private readonly epochs: EpochSource;
  private readonly callbacks: Callbacks;
  private readonly told: Observable<MississippiEvent>;
  private readonly handlerName: string;
  private readonly handler: DataUpdaterHandler;
  private readonly store: Store | undefined;
  private readonly random: () => number;
  private connected: Connected | undefined;
  private lease: TransportLease | undefined;
  /** The start of the instance, as far as it is under way; it never rejects. */
  private starting: Promise<unknown> = Promise.resolve();
  private consumes = false;
  /** When the shutdown insists, once it has begun. On the clock. */
  private endsBy: number | undefined;
  private stopping = false;
  private draining: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  private disconnected = false;

  constructor(parts: EngineParts) {
    const { options, logger, clock = systemClock, random = Math.random } = parts;
    const subject = parts.events ?? new Subject<MississippiEvent>();
    this.logger = guardedLogger(logger);
    const log = new Log(this.logger);
    const round = new Round(clock);
    const keyText = keyTextFor(options.logKeys);
    this.told = new ToldEvents(subject, log);
    const policyOf = (own: ResolvedFailurePolicy) => new FailurePolicy(own, random, log, clock);
    const policy = policyOf(options.failurePolicy);
    this.codec = codecOf(options.payload);
    this.keys = new KeyEncoder(options.keys, keyText);
    const encodePayload = (payload: unknown): Uint8Array => encodePayloadBy(this.codec, payload);
    const telemetry = parts.telemetry && new EngineTelemetry(parts.telemetry, log, clock);
    const encodeMessage: Environment['encodeMessage'] = (payload, input, source, trace) => {
      const message = encodeOutgoing({ codec: this.codec, keys: this.keys, clock }, payload, input);
      return { kind: 'message', source, ...this.created(message, trace) };
    };
    this.environment = {
      options,
      log,
      logger: this.logger,
      keyText,
      policy,
      paused: new PausedTypes(),
      clock,
      round,
      events: new EventSource(subject, telemetry),
      telemetry,
      around: parts.around,
      encodeMessage,
      encodePayload,
    };
    this.store = parts.store;
    this.random = random;
    this.handler = parts.handler ?? { handleMessage: () => undefined };
    this.handlerName = parts.handlerName;
    this.epochs = parts.epochs ?? new EpochCounter();
    this.callbacks = new Callbacks(this.handler, parts.handlerName, this.environment, parts.methods, policyOf);
    this.population = new Population(this.environment);
    this.slots = new AttemptSlots(round, options.concurrency);
    this.pace = new SignalPace(round);
  }

  /**
   * Connects: from now on messages can be published.
   * @throws {TransportInUseError} when another instance uses the transport
   * @throws {InvalidOptionsError} when `handlerTimeout` does not fit the transport's delivery time-out, or the instance only
   * publishes where nobody else can consume
   * @throws {MissingPackageError} when a payload class needs packages that are not installed
   */
  async connect(transport: Transport): Promise<void> {
    const { instance, producerOnly } = this.environment.options;
    if (producerOnly && transport.shared === false) throw pointlessProducer(transport);
    this.lease = new TransportLease(transport, instance);
    const opening = this.open(transport);
    this.starting = opening.catch(() => undefined);
    try {
      await opening;
    } catch (error) {
      this.lease.end();
      throw error;
    }
  }

  private async open(transport: Transport): Promise<void> {
    const { options, keyText, clock } = this.environment;
    const { logger } = this;
    if (!options.producerOnly) await this.callbacks.load();
    const { instance } = options;
    const handler = this.handlerName === '' ? {} : { handler: this.handlerName };
    const { telemetry } = this.environment;
    const traced = telemetry?.traces === true ? { traced: true } : {};
    const connection = await transport.connect({ instance, ...handler, logger, keyText, clock, ...traced });
    if (this.disconnected) {
      // Closing did not wait for it any longer.
      await connection.close();
      this.lease!.end();
      return;
    }
    const { deliveryTimeout = Infinity } = connection;
    const longest = deliveryTimeout / 3;
    if (!options.producerOnly && options.handlerTimeout > longest) {
      await connection.close();
      throw new InvalidOptionsError([
        {
          path: 'forRoot.handlerTimeout',
          expected: `at most a third of the broker's delivery time-out was expected, that is ${Math.floor(longest)} ms, not ${options.handlerTimeout}`,
        },
      ]);
    }
    const { totalCount, prefetch } = connection;
    const { environment, callbacks, population, slots, pace } = this;
    const crosses = connection.sendSignal !== undefined;
    const keyParts = { callbacks, population, slots, pace, lanes: new LanePool() };
    const durable = await this.openStore(transport, connection);
    if (this.disconnected) {
      await connection.close();
      await durable?.close();
      return;
    }
    const operated: Operated = (...question) => requests.fromElsewhere(...question);
    const parts = { environment, totalCount, prefetch, crosses, deliveryTimeout, operated, ...keyParts };
    const shards = new Shards(parts, this.epochs, durable);
    const republish = (message: OutgoingMessage) => this.publish(message, options.publishTimeout);
    const letters = new DeadLetterCalls(environment, connection, this.codec, republish);
    const processes = (): Promise<ProcessInfo[]> => this.processes();
    const pauses = new Pauses(environment, connection, shards, processes);
    const requests = new OwnerRequests(environment, connection, shards, new OperatorDesk(environment));
    const states = new StateCalls(environment, durable, totalCount, requests);
    const { signals } = callbacks;
    if (connection.maxSignalSize !== undefined) signals.fit(connection.maxSignalSize);
    this.connected = {
      transport: connection,
      shards,
      calls: new KeyCalls(environment, connection, shards, signals, durable),
      operator: new OperatorCalls(connection, requests, processes, letters, states, pauses),
      durable,
    };
    durable?.whenLost(
      (error) => shards.giveUp(error),
      () => shards.epochsOpen,
    );
    const { destination = embeddedDestination(instance) } = connection;
    telemetry?.attach({ name: instance, destination, clock, keyText, status: () => this.status() });
  }

  /** Connects to the store, where there is one. The transport is closed again where that fails. */
  private async openStore(transport: Transport, connection: TransportConnection): Promise<DurableInstance | undefined> {
    if (this.store === undefined) return undefined;
    const { environment, random, handler, handlerName } = this;
    try {
      return await openDurably(this.store, transport, connection, {
        environment,
        random,
        handler,
        handlerName,
        over: () => this.stopping || this.disconnected,
      });
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** Claims shards and handles their messages, unless the instance only publishes. */
  async consume(): Promise<void> {
    if (this.environment.options.producerOnly || this.stopping) return;
    const { transport, shards } = this.ready();
    this.connected!.durable?.start();
    // Where no other process can have the shards, who asks for a key when the app has started is not told that it lives elsewhere.
    const consuming = transport.sendSignal === undefined ? this.opened(transport, shards) : transport.consume(shards);
    this.starting = consuming.catch(() => undefined);
    try {
      await consuming;
      this.consumes = true;
    } catch (error) {
      // Where it is closed meanwhile, that is why.
      if (!this.stopping) throw error;
    }
  }

  private async opened(transport: TransportConnection, shards: Shards): Promise<void> {
    await transport.consume(shards);
    await shards.opened();
  }

  /**
   * Before the drain: where messages are lost with the transport, lets all of them be handled, up to `drainTimeout`.
   * Everything goes on as before meanwhile, since handlers may publish, signal and ask as they are used to.
   */
  async windDown(): Promise<void> {
    while (this.windsDown) {
      const { transport, shards } = this.connected!;
      // What runs with nothing queued, a continuation say, may publish yet.
      const next = transport.backlog!.queued > 0 ? transport.backlog!.emptied() : this.wait(LOOK_AGAIN);
      await this.within(next);
      // Whoever was told that its message is handled goes on first.
      await new Promise<void>((resolve) => this.clock.soon(resolve));
      if (transport.backlog!.queued === 0 && !shards.busy) return;
    }
  }

  /** Whether there is anything to wait for in {@link windDown}. */
  get windsDown(): boolean {
    const backlog = this.connected?.transport.backlog;
    if (
      backlog === undefined ||
      this.connected!.durable?.keepsMessages === true ||
      !this.consumes ||
      this.stopping ||
      this.left === 0 ||
      this.connected!.transport.status().intakePaused === true
    )
      return false;
    return backlog.queued > 0 || this.connected!.shards.busy;
  }

  /**
   * Takes nothing new, lets running handlers finish, terminates the data updaters, and gives the shards back. What others
   * publish still goes out. Whoever calls later waits for the same end.
   */
  async drain(): Promise<void> {
    await (this.draining ??= this.drainShards());
  }

  /** Disconnects, after a drain. Whoever calls later waits for the same end. */
  async close(): Promise<void> {
    await (this.closing ??= this.disconnect());
  }

  async stop(): Promise<void> {
    if (this.windsDown) await this.windDown();
    await this.drain();
    await this.close();
  }

  connection(): TransportConnection {
    return this.ready().transport;
  }

  /** @throws {NotStartedError} */
  get calls(): KeyCalls {
    return this.ready().calls;
  }

  /** @throws {NotStartedError} */
  get operator(): OperatorCalls {
    return this.ready().operator;
  }

  get signalTimeout(): number {
    return this.environment.options.signalTimeout;
  }

  /** @throws {NotStartedError} */
  get shards(): Shards {
    return this.ready().shards;
  }

  publish(message: OutgoingMessage, timeout: number, transaction?: unknown): Promise<void> {
    const { durable } = this.ready();
    const { telemetry } = this.environment;
    if (telemetry?.active !== true) return this.hand(message, timeout, transaction);
    // What the store takes first leaves later.
    const kind = transaction !== undefined || durable?.keepsMessages === true ? 'create' : 'publish';
    return telemetry.around({ kind, message }, (headers) =>
      this.hand(withTrace(message, headers), timeout, transaction),
    );
  }

  private hand(message: OutgoingMessage, timeout: number, transaction?: unknown): Promise<void> {
    const { transport, durable } = this.ready();
    if (transaction !== undefined) return enqueue(durable, transaction, message);
    if (durable?.keepsMessages === true) {
      if (presentCaller().callback?.holdsStore === true) return Promise.reject(new StoreHeldError('publish'));
      return durable.publish(message, timeout);
    }
    const { publisher } = transport;
    return publisher.publish(message, timeout, publisher.heedsCallbacks === true && insideCallbackOf(this.environment));
  }

  /** A message that leaves with a commit, with what its traces need. */
  private created(message: Omit<OutgoingMessage, 'shard'>, parent: Trace | undefined): Omit<OutgoingMessage, 'shard'> {
    const { telemetry } = this.environment;
    if (telemetry?.active !== true) return message;
    const outgoing = { shard: this.shards.indexOf(message.key), ...message };
    const trace = telemetry.begin({ kind: 'create', message: outgoing, parent });
    if (trace === undefined) return message;
    telemetry.end(trace, {});
    return withTrace(message, trace.headers);
  }

  get instance(): string {
    return this.environment.options.instance;
  }

  /** Where the type of a message is read. */
  get typeFrom(): TypeSource {
    return this.environment.options.typeFrom;
  }

  get clock(): Clock {
    return this.environment.clock;
  }

  get publishTimeout(): number {
    return this.environment.options.publishTimeout;
  }

  get totalCount(): number {
    return this.connection().totalCount;
  }

  get events(): Observable<MississippiEvent> {
    return this.told;
  }

  *liveKeys(): IterableIterator<LiveKey> {
    for (const queue of this.ready().shards.queues()) yield describeKey(queue);
  }

  status(): EngineStatus {
    const { transport, shards, durable } = this.ready();
    return {
      transport: transport.status(),
      durable: transport.durable,
      ...(durable === undefined ? {} : { store: durable.status() }),
      liveKeys: this.population.size,
      runningAttempts: this.slots.inUse,
      ...shards.census(),
    };
  }

  /** What is not finished, for a test bench. */
  unfinished(): UnfinishedWork[] {
    const { shards } = this.ready();
    return unfinishedWork(shards.queues(), shards.all);
  }

  /** The state of a live data updater, for a test bench. The key is canonical. */
  liveState(key: Uint8Array): { readonly state: unknown } | undefined {
    const { shards } = this.ready();
    return shards.owned(shards.indexOf(key))?.queues.get(key)?.activation.live;
  }

  /** Puts something of a test bench among the events. */
  note(note: BenchNote): void {
    this.environment.events.sink?.note(note);
  }

  async processes(): Promise<ProcessInfo[]> {
    const { transport, shards } = this.ready();
    if (transport.processes !== undefined) return transport.processes();
    const intake = transport.status().intakePaused === true ? 'paused' : 'open';
    return [
      { name: `${this.environment.options.instance} ${process.pid}`, shards: shards.indexes, self: true, intake },
    ];
  }

  /** Resolves when nothing of the start is under way any more, or has been for longer than a shutdown may take. */
  private async started(): Promise<void> {
    await this.within(this.starting);
  }

  /** What is left of `drainTimeout`, which begins with the first question. Milliseconds. */
  private get left(): number {
    const { clock, options } = this.environment;
    this.endsBy ??= clock.now() + options.drainTimeout;
    return Math.max(0, this.endsBy - clock.now());
  }

  /** Resolves with the promise, which never rejects, or when nothing is {@link left} of the time. */
  private within(promise: Promise<unknown>): Promise<void> {
    return new Promise<void>((resolve) => {
      const timer = this.clock.after(this.left, resolve);
      void promise.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  private wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(milliseconds, resolve);
    });
  }

  private tellWhatIsLost({ backlog }: TransportConnection): void {
    if (backlog === undefined || backlog.queued + backlog.parked === 0) return;
    const { log, options } = this.environment;
    const { queued, parked } = backlog;
    log.warn(
      `${queued + parked} messages are lost with the app, since its transport keeps them in this process only: ${queued} queued, which were not handled within drainTimeout, ${options.drainTimeout} ms, and ${parked} parked.`,
      { event: 'messagesLost', queued, parked },
    );
  }

  private async drainShards(): Promise<void> {
    this.stopping = true;
    if (this.connected === undefined) await this.started();
    const { connected } = this;
    if (connected === undefined) return;
    connected.transport.stopClaiming();
    await Promise.all([connected.shards.drain(this.left), this.started()]);
  }

  private async disconnect(): Promise<void> {
    this.disconnected = true;
    const { connected } = this;
    if (connected !== undefined && connected.durable === undefined) this.tellWhatIsLost(connected.transport);
    try {
      await connected?.transport.close();
      await connected?.durable?.close();
    } finally {
      if (connected !== undefined) this.lease!.end();
      this.environment.telemetry?.detach();
      this.population.stop();
      this.callbacks.stop();
      this.environment.events.complete();
    }
  }

  private ready(): Connected {
    const { instance } = this.environment.options;
    if (this.connected === undefined) throw new NotStartedError(`The instance '${instance}'`);
    return this.connected;
  }
}

/** What is embedded has no names of its own: those that its queues would have. */
function embeddedDestination(instance: string): Destination {
  const prefix = instance === DEFAULT_INSTANCE ? 'mississippi_' : `mississippi_${instance}_`;
  return { system: 'mississippi', template: `${prefix}{shard}`, name: (shard) => `${prefix}${shard}` };
}

async function enqueue(
  durable: DurableInstance | undefined,
  transaction: unknown,
  { shard, ...message }: OutgoingMessage,
): Promise<void> {
  if (durable === undefined) throw new NoStoreError('publish with a transaction');
  await durable.enqueue(transaction, shard, message);
}

function pointlessProducer({ name }: Transport): InvalidOptionsError {
  return new InvalidOptionsError([
    {
      path: 'forRoot.producerOnly',
      expected: `a handler in this instance was expected, since nobody else can ever handle what it publishes: the transport (${name}) lives in this object alone. Add the handler and remove producerOnly, use a transport with a broker, or share an embedded one with the app that consumes, by memory({ broker })`,
    },
  ]);
}
