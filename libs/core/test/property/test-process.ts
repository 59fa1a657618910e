import { Recorder, recordedTransport } from '@mississippi/history';
import { Engine } from '../../src/engine/engine.js';
import type { Clock, Timer } from '../../src/clock/clock.interface.js';
import { DataUpdaterService, type MemoryBroker } from '../../src/index.js';
import { shardOfEncoded } from '../../src/transport/index.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { resolveOptions } from '../../src/mississippi.options.js';
import type { Chronicle } from './chronicle.js';
import type { MississippiEvent } from '../../src/index.js';
import { PlannedHandler, type PlannedWorld } from './planned-handler.js';
import { HANDLER_TIMEOUT, SIGNAL_TIMEOUT, type Settings } from './scenario.js';
import { TestTransport, type TestSession, type TransportProcess } from './test-transport.js';

/** The time of one process: it ends with the process. */
class ProcessClock implements Clock {
  private readonly timers = new Set<Timer>();
  private readonly dead: () => boolean;

  constructor(
    private readonly clock: Clock,
    alive: () => boolean,
  ) {
    this.dead = () => !alive();
  }

  now(): number {
    return this.clock.now();
  }

  time(): number {
    return this.clock.time();
  }

  after(delay: number, callback: () => void): Timer {
    if (this.dead()) return { cancel: ignore };
    const inner = this.clock.after(delay, () => {
      this.timers.delete(timer);
      callback();
    });
    const timer: Timer = {
      cancel: () => {
        this.timers.delete(timer);
        inner.cancel();
      },
    };
    this.timers.add(timer);
    return timer;
  }

  soon(callback: () => void): void {
    this.clock.soon(() => {
      if (!this.dead()) callback();
    });
  }

  get pending(): number {
    return this.timers.size;
  }

  stop(): void {
    for (const timer of this.timers) timer.cancel();
  }
}

/** One process with one engine, on a broker that it may share with others. */
export class TestProcess implements TransportProcess {
  alive = true;
  /** Set once `stop` was called. */
  stopping: Promise<void> | undefined;
  stopped = false;
  readonly engine: Engine;
  readonly service: DataUpdaterService;
  readonly transport: TestTransport;
  readonly recorder: Recorder;
  private readonly time: ProcessClock;

  constructor(
    readonly name: string,
    clock: Clock,
    broker: MemoryBroker,
    private readonly settings: Settings,
    chronicle: Chronicle,
    world: PlannedWorld & { told(process: TestProcess, event: MississippiEvent): void },
  ) {
    this.time = new ProcessClock(clock, () => this.alive);
    // What the broker has taken is taken, though whoever gave it be gone.
    const isHeard = (type: string): boolean => this.alive || type === 'deadLettered' || type === 'parked';
    this.recorder = new Recorder(name, (event) => isHeard(event.type) && chronicle.see(event), clock);
    this.transport = new TestTransport(broker, settings.prefetch, this, settings.deadLetterLimit);
    const { attempts, onExhausted, jitter, ...sizes } = settings;
    this.engine = new Engine({
      options: resolveOptions('default', {
        ...sizes,
        handlerTimeout: HANDLER_TIMEOUT,
        signalTimeout: SIGNAL_TIMEOUT,
        failurePolicy: { attempts, onExhausted, backoff: { initial: 100, max: 400 } },
      }),
      handler: new PlannedHandler(world, this),
      handlerName: 'PlannedHandler',
      logger: { log: ignore, warn: ignore, error: ignore },
      clock: this.time,
      random: () => jitter,
    });
    this.engine.events.subscribe((event) => this.alive && world.told(this, event));
    this.service = new DataUpdaterService({ engine: this.engine, events: this.engine.events });
  }

  /** Whether it takes part: neither crashed nor stopping. */
  get works(): boolean {
    return this.alive && this.stopping === undefined;
  }

  /** Timers of it that are set. */
  get timers(): number {
    return this.time.pending;
  }

  async start(): Promise<void> {
    await this.engine.connect(recordedTransport(this.transport, this.recorder));
    await this.engine.consume();
  }

  session(shard: number): TestSession | undefined {
    return this.alive ? this.transport.sessions.get(shard) : undefined;
  }

  /** The session that owns a key, where this process owns it. */
  sessionOf(key: string): TestSession | undefined {
    const session = this.session(shardOfEncoded(encodeShardingKey(key), this.settings.shards));
    return session?.closing === true ? undefined : session;
  }

  stop(): void {
    if (!this.works) return;
    this.recorder.record({ type: 'leaving' });
    for (const epoch of this.transport.epochs) epoch.closes();
    this.stopping = this.engine.stop().then(() => {
      this.stopped = true;
      this.recorder.record({ type: 'exited', target: this.name, how: 'left' });
    });
  }

  crash(): void {
    if (!this.alive || this.stopped) return;
    this.recorder.record({ type: 'fault', fault: 'kill', target: this.name });
    this.recorder.record({ type: 'exited', target: this.name, how: 'killed' });
    this.alive = false;
    this.time.stop();
    void this.transport.close();
  }
}

function ignore(): void {
  // Nobody reads the logs of a property.
}
