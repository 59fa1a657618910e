import { keyText, Recorder, refOf, replaceMethod } from '@mississippi/history';
import { KeyQueue } from '../../src/engine/keys/key-queue.js';
import type { DirectTrackedMessage } from '../../src/engine/messages/tracked-message.js';
import { MemoryBroker, MississippiError, type MississippiEvent } from '../../src/index.js';
import { partsOf } from '../../src/memory/memory-broker.js';
import { shardOfEncoded } from '../../src/transport/index.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { FakeClock, settled } from '../support/fake-clock.js';
import { Chronicle } from './chronicle.js';
import { PlannedFailure, type Gate, type PlannedPayload, type PlannedWorld } from './planned-handler.js';
import {
  HANDLER_TIMEOUT,
  type Action,
  type Attempt,
  type AttemptResult,
  type Call,
  type Reaction,
  type Settings,
  type Turnout,
} from './scenario.js';
import { TestProcess } from './test-process.js';

/** Most processes that one scenario starts: some take over from others. */
const MOST_PROCESSES = 5;

/** A broker, the processes on it, one clock, and the history of it all. */
export class World implements PlannedWorld {
  readonly clock = new FakeClock();
  readonly chronicle: Chronicle;
  readonly broker: MemoryBroker;
  readonly gates: Gate[] = [];
  readonly processes: TestProcess[] = [];
  healed = false;
  /** Callers that were not answered yet, and the process that owes them the answer. */
  private readonly awaited = new Map<string, TestProcess | undefined>();
  /** What is left of the plan of each message. */
  private readonly plans = new Map<string, Attempt[]>();
  private readonly directs = new Map<string, { readonly process: TestProcess; accepted: boolean }>();
  /** By key, or by what else is numbered. */
  private readonly counts = new Map<string, number>();
  private readonly recorder: Recorder;
  private turnouts = 0;
  private reacted = 0;
  private toSkip: number | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly planned: readonly Turnout[],
    private readonly reactions: readonly Reaction[],
  ) {
    const { attempts, shards: totalCount, capacity, prefetch, drainTimeout } = settings;
    const limits = { attempts, prefetch, drainTimeout, handlerTimeout: HANDLER_TIMEOUT, ackDelay: 0 };
    this.chronicle = new Chronicle(limits);
    this.recorder = new Recorder('world', (event) => this.chronicle.see(event), this.clock);
    this.broker = new MemoryBroker({ totalCount, capacity, deadLetterLimit: Infinity });
  }

  nextAttempt(id: string): Attempt {
    const next = this.plans.get(id)!.shift();
    return (this.healed ? undefined : next) ?? { pace: 'soon', result: 'ack' };
  }

  nextTurnout(): Turnout {
    return (this.healed ? undefined : this.planned[this.turnouts++]) ?? { pace: 'soon', ok: true };
  }

  /** What a callback or a listener asks while something else goes on. */
  call(process: TestProcess, own: string, { type, key: given, at }: Call, inside = true): Promise<unknown> | undefined {
    if (this.healed) return undefined;
    const key = given === undefined ? own : nameOf(given);
    switch (type) {
      case 'publish':
        return this.publish(key, { plan: [], garbled: false }, inside);
      case 'direct':
        return this.direct(key, { at, plan: [] });
      case 'signal':
      case 'wantUpdater':
        return this.ask(type, key, at);
      default:
        return this.operate(type, key, process);
    }
  }

  /** A listener hears of something, and perhaps calls back. */
  told(process: TestProcess, event: MississippiEvent): void {
    const next = this.reactions[this.reacted];
    if (next === undefined || !('key' in event) || event.key === undefined || !process.works) return;
    this.toSkip ??= next.skip;
    if (this.toSkip-- > 0) return;
    this.toSkip = undefined;
    this.reacted++;
    this.note(`${next.call.type} on ${event.type}`);
    void this.call(process, keyText(event.key), next.call, false);
  }

  idled(): void {
    this.recorder.record({ type: 'idled' });
  }

  note(text: string): void {
    this.recorder.record({ type: 'note', text });
  }

  get working(): TestProcess[] {
    return this.processes.filter((process) => process.works);
  }

  get stillAwaited(): readonly string[] {
    return [...this.awaited].filter(([, process]) => process?.alive !== false).map(([text]) => text);
  }

  /** Whether nothing is on its way any more. */
  get rests(): boolean {
    if (this.broker.length > 0 || this.stillAwaited.length > 0 || this.gates.length > 0) return false;
    if (this.processes.some((process) => process.alive && process.stopping !== undefined && !process.stopped))
      return false;
    if (this.working.some(({ engine }) => engine.status().parkedKeys > 0)) return false;
    return Array.from({ length: this.settings.shards }, (_, shard) => this.broker.parkedCount(shard)).every(
      (n) => n === 0,
    );
  }

  async start(): Promise<void> {
    const name = `P${this.processes.length}`;
    const process = new TestProcess(name, this.clock, this.broker, this.settings, this.chronicle, this);
    this.processes.push(process);
    this.note(`start ${name}`);
    await process.start();
  }

  // ---- actions

  act(action: Action): void | Promise<void> {
    switch (action.type) {
      case 'publish':
        return void this.publish(nameOf(action.key), action);
      case 'direct':
        return void this.direct(nameOf(action.key), action);
      case 'signal':
      case 'wantUpdater':
        return void this.ask(action.type, nameOf(action.key), action.at);
      case 'park':
      case 'resume':
      case 'drop':
        return void this.operate(action.type, nameOf(action.key));
      case 'open':
        return this.openGate(action.gate, action.result);
      case 'lose':
      case 'handOver':
        return this.move(action.type, action.shard, action.to);
      case 'doubt':
      case 'confirm':
        return this.sessionOf(action.shard)?.[action.type]();
      case 'garbage':
        return this.throwGarbage(action.shard % this.settings.shards);
      case 'start':
        return this.processes.length < MOST_PROCESSES && this.working.length < 2 ? this.start() : undefined;
      case 'stop':
        return this.pick(action.at)?.stop();
      case 'crash':
        return this.pick(action.at)?.crash();
      case 'block':
      case 'unblock':
        this.note(action.type);
        return this.broker[action.type]();
      case 'takeLetters':
        return void this.broker.takeDeadLetters();
      case 'advance':
        return this.clock.advance(action.by);
    }
  }

  private publish(
    key: string,
    { plan, garbled }: Pick<Action & { type: 'publish' }, 'plan' | 'garbled'>,
    fromCallback = false,
  ): Promise<unknown> {
    const message = refOf(key, this.count(key));
    this.plans.set(message.id, [...plan]);
    this.recorder.record({ type: 'published', ...message, garbled });
    const bytes = encodeShardingKey(key);
    const published = partsOf(this.broker).admission.publish(
      {
        shard: shardOfEncoded(bytes, this.settings.shards),
        key: bytes,
        body: Buffer.from(garbled ? '{' : JSON.stringify({ message: message.id })),
        headers: {},
        messageId: message.id,
        timestamp: 0,
      },
      Infinity,
      this,
      fromCallback,
    );
    const confirmed = published.then(() => this.recorder.record({ type: 'confirmed', ...message }));
    return this.watch(`publish ${message.id}`, confirmed);
  }

  private direct(
    key: string,
    { at, plan }: Pick<Action & { type: 'direct' }, 'at' | 'plan'>,
  ): Promise<unknown> | undefined {
    const process = this.pick(at);
    if (process === undefined) return undefined;
    const id = `${key}~${this.count('direct')}`;
    this.plans.set(id, [...plan]);
    const direct = { process, accepted: false };
    this.directs.set(id, direct);
    process.recorder.record({ type: 'directed', id, key });
    const call = process.service.handleMessage(key, { payload: { direct: id } });
    // A message that was refused before it came into a queue ends here.
    call.catch(() => {
      if (!direct.accepted) process.recorder.record({ type: 'answered', id, key, how: 'rejected' });
    });
    return this.watch(`direct ${id}`, call, process);
  }

  private ask(type: 'signal' | 'wantUpdater', key: string, at: number): Promise<unknown> | undefined {
    const process = this.pick(at);
    if (process === undefined) return undefined;
    const text = `${type} ${this.count('call')} of ${key}`;
    this.note(`${text} in ${process.name}`);
    const { service } = process;
    return this.watch(
      text,
      type === 'signal' ? service.handleSignal(key, 'signal') : service.getDataUpdater(key),
      process,
    );
  }

  private operate(
    type: 'park' | 'resume' | 'drop',
    key: string,
    process = this.working.find((one) => one.sessionOf(key) !== undefined),
  ): Promise<unknown> | undefined {
    if (process === undefined) return undefined;
    process.recorder.record({ type: 'operator', call: type, key });
    return this.watch(`${type} ${this.count('call')} of ${key}`, process.service[type](key), process);
  }

  private openGate(index: number, result: AttemptResult): void {
    const [gate] = this.gates.splice(index % Math.max(1, this.gates.length), 1);
    if (gate?.process.alive === true) gate.open(result);
  }

  private move(type: 'lose' | 'handOver', shard: number, to: number): void {
    const index = shard % this.settings.shards;
    const target = this.pick(to);
    for (const process of this.working) if (process !== target) process.transport.standBack();
    const owner = this.processes.find((process) => process.session(index) !== undefined);
    const session = owner?.session(index);
    if (type === 'lose') {
      if (owner !== undefined) this.recorder.record({ type: 'fault', fault: 'lose', target: owner.name, shard: index });
      this.broker.loseShard(index);
    } else if (owner !== undefined && session !== undefined) {
      void this.watch(`hand over ${index}`, session.handOver(), owner);
    }
  }

  private sessionOf(shard: number) {
    const index = shard % this.settings.shards;
    return this.processes.map((process) => process.session(index)).find((session) => session !== undefined);
  }

  private throwGarbage(shard: number): void {
    const garbage = refOf('garbage', this.count('garbage'));
    this.recorder.record({ type: 'published', ...garbage, garbled: true });
    this.recorder.record({ type: 'confirmed', ...garbage });
    this.broker.inject(shard, { key: Buffer.from([0]), body: Buffer.from('{}'), messageId: garbage.id, timestamp: 0 });
  }

  /** Counts from 0. */
  private count(what: string): number {
    const count = this.counts.get(what) ?? 0;
    this.counts.set(what, count + 1);
    return count;
  }

  private pick(at: number): TestProcess | undefined {
    const { working } = this;
    return working[at % Math.max(1, working.length)];
  }

  /** A caller's promise must end, and an error must be one that a program can tell. */
  private watch(text: string, promise: Promise<unknown>, process?: TestProcess): Promise<unknown> {
    this.awaited.set(text, process);
    return promise
      .catch((error: unknown) => {
        this.note(`${text} rejected: ${error instanceof Error ? error.name : String(error)}`);
        if (error instanceof MississippiError || error instanceof PlannedFailure) return;
        this.chronicle.violation('wrongAnswer', `${text} was rejected by ${String(error)}`);
      })
      .finally(() => this.awaited.delete(text));
  }

  /** The engine took a direct message into its key's queue. */
  took(message: DirectTrackedMessage, { shard, number: epoch }: { shard: number; number: number }): void {
    const id = (message.payload as PlannedPayload & { direct: string }).direct;
    const key = id.split('~')[0]!;
    const direct = this.directs.get(id)!;
    const { recorder } = direct.process;
    direct.accepted = true;
    recorder.record({ type: 'accepted', id, key, shard, epoch });
    const { resolve, reject } = message;
    Object.assign(message, {
      resolve: (outcome: Parameters<typeof resolve>[0]) => {
        recorder.record({ type: 'answered', id, key, how: 'resolved' });
        resolve(outcome);
      },
      reject: (error: unknown) => {
        recorder.record({ type: 'answered', id, key, how: 'rejected' });
        reject(error);
      },
    });
  }

  // ---- the end

  /** Lets everything succeed that waited or failed so far. */
  async heal(): Promise<void> {
    this.healed = true;
    this.broker.unblock();
    if (this.working.length === 0) await this.start();
    while (this.gates.length > 0) this.openGate(0, 'ack');
    this.broker.takeDeadLetters();
    for (const process of this.working) {
      for (const session of process.transport.sessions.values()) {
        if (!session.certain) session.confirm();
      }
      for (const { key } of process.service.liveKeys()) void this.operate('resume', keyText(key));
    }
    await settled();
  }
}

function nameOf(key: number): string {
  return `k${key}`;
}

/** While this is in force, the world hears how often the engine ends a direct message, and which epoch took it. */
export function watchDirectMessages(world: () => World): () => void {
  return replaceMethod(
    KeyQueue.prototype,
    'accept',
    (accept) =>
      function (this: KeyQueue, message) {
        world().took(message, this.epoch);
        accept.call(this, message);
      },
  );
}
