import { KeyQueue } from '../../src/engine/keys/key-queue.js';
import type { DirectTrackedMessage } from '../../src/engine/messages/tracked-message.js';
import { MemoryBroker, MississippiError } from '../../src/index.js';
import { partsOf } from '../../src/memory/memory-broker.js';
import { shardOf } from '../../src/transport/index.js';
import { encodeShardingKey } from '../../src/keys/sharding-key.js';
import { FakeClock, settled } from '../support/fake-clock.js';
import { History } from './history.js';
import { PlannedFailure, type Gate, type PlannedWorld } from './planned-handler.js';
import { keyText, type DirectRecord } from './records.js';
import { replaceMethod } from './replace-method.js';
import { HANDLER_TIMEOUT, type Action, type AttemptResult, type Settings, type Turnout } from './scenario.js';
import { TestProcess } from './test-process.js';

/** Most processes that one scenario starts: some take over from others. */
const MOST_PROCESSES = 5;

/** A broker, the processes on it, one clock, and the history of it all. */
export class World implements PlannedWorld {
  readonly clock = new FakeClock();
  readonly history: History;
  readonly broker: MemoryBroker;
  readonly gates: Gate[] = [];
  readonly processes: TestProcess[] = [];
  healed = false;
  /** Callers that were not answered yet, and the process that owes them the answer. */
  private readonly awaited = new Map<string, TestProcess | undefined>();
  private turnouts = 0;
  private calls = 0;

  constructor(
    private readonly settings: Settings,
    private readonly planned: readonly Turnout[],
  ) {
    const { attempts, shards: totalCount, capacity, deadLetterLimit } = settings;
    this.history = new History(() => this.clock.now(), { attempts, handlerTimeout: HANDLER_TIMEOUT });
    this.broker = new MemoryBroker({ totalCount, capacity, deadLetterLimit });
  }

  nextTurnout(): Turnout {
    return this.planned[this.turnouts++] ?? { pace: 'soon', ok: true };
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
    const process = new TestProcess(name, this.clock, this.broker, this.settings, this.history, this);
    this.processes.push(process);
    this.history.note(`start ${name}`);
    await process.start();
  }

  // ---- actions

  act(action: Action): void | Promise<void> {
    switch (action.type) {
      case 'publish':
        return this.publish(nameOf(action.key), action);
      case 'direct':
        return this.direct(nameOf(action.key), action);
      case 'signal':
      case 'wantUpdater':
        return this.ask(action.type, nameOf(action.key), action.at);
      case 'park':
      case 'resume':
      case 'drop':
        return this.operate(action.type, nameOf(action.key));
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
        this.history.note(action.type);
        return this.broker[action.type]();
      case 'takeLetters':
        return void this.broker.takeDeadLetters();
      case 'advance':
        return this.clock.advance(action.by);
    }
  }

  private publish(key: string, { plan, garbled }: Action & { type: 'publish' }): void {
    const message = this.history.published(key, plan, garbled);
    const bytes = encodeShardingKey(key);
    const published = partsOf(this.broker).admission.publish(
      {
        shard: shardOf(bytes, this.settings.shards),
        key: bytes,
        body: Buffer.from(garbled ? '{' : JSON.stringify({ message: message.text })),
        headers: { message: message.text },
        messageId: message.text,
        timestamp: 0,
      },
      Infinity,
      this,
    );
    this.watch(`publish ${message.text}`, published);
  }

  private direct(key: string, { at, plan }: Action & { type: 'direct' }): void {
    const process = this.pick(at);
    if (process === undefined) return;
    const direct = this.history.direct(process.name, key, plan);
    const call = process.service.handleMessage(key, { payload: { direct } });
    // A message that was refused before it came into a FIFO ends here.
    call.catch(() => {
      if (direct.ends === 0) this.history.directEnded(direct, 'rejected');
    });
    this.watch(`direct ${direct.text}`, call, process);
  }

  private ask(type: 'signal' | 'wantUpdater', key: string, at: number): void {
    const process = this.pick(at);
    if (process === undefined) return;
    const text = `${type} ${this.calls++} of ${key}`;
    this.history.note(`${text} in ${process.name}`);
    const { service } = process;
    this.watch(text, type === 'signal' ? service.handleSignal(key, 'signal') : service.getDataUpdater(key), process);
  }

  private operate(type: 'park' | 'resume' | 'drop', key: string): void {
    const process = this.working.find((one) => one.sessionOf(key) !== undefined);
    if (process === undefined) return;
    this.history.note(`${type} ${key} in ${process.name}`);
    if (type === 'drop') this.history.droppedKey(key);
    this.watch(`${type} ${this.calls++} of ${key}`, process.service[type](key), process);
  }

  private openGate(index: number, result: AttemptResult): void {
    const [gate] = this.gates.splice(index % Math.max(1, this.gates.length), 1);
    if (gate?.process.alive === true) gate.open(result);
  }

  private move(type: 'lose' | 'handOver', shard: number, to: number): void {
    const index = shard % this.settings.shards;
    const target = this.pick(to);
    for (const process of this.working) if (process !== target) process.transport.standBack();
    if (type === 'lose') {
      this.broker.loseShard(index);
      return;
    }
    const owner = this.processes.find((process) => process.session(index) !== undefined);
    const session = owner?.session(index);
    if (owner === undefined || session === undefined) return;
    this.history.note(`hand over ${session.record.text}`);
    this.watch(`hand over ${session.record.text}`, session.handOver(owner.drainEnds()), owner);
  }

  private sessionOf(shard: number) {
    const index = shard % this.settings.shards;
    return this.processes.map((process) => process.session(index)).find((session) => session !== undefined);
  }

  private throwGarbage(shard: number): void {
    this.history.threwGarbage();
    this.broker.inject(shard, { key: Buffer.from([0]), body: Buffer.from('{}'), messageId: 'garbage', timestamp: 0 });
  }

  private pick(at: number): TestProcess | undefined {
    const { working } = this;
    return working[at % Math.max(1, working.length)];
  }

  /** A caller's promise must end, and an error must be one that a program can tell. */
  private watch(text: string, promise: Promise<unknown>, process?: TestProcess): void {
    this.awaited.set(text, process);
    promise
      .catch((error: unknown) => {
        this.history.note(`${text} rejected: ${error instanceof Error ? error.name : String(error)}`);
        if (error instanceof MississippiError || error instanceof PlannedFailure) return;
        this.history.violation(`${text} was rejected by ${String(error)}`);
      })
      .finally(() => this.awaited.delete(text));
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
        if (session.record.suspended) session.confirm();
      }
      for (const { key } of process.service.liveKeys()) this.operate('resume', keyText(key));
    }
    await settled();
  }
}

function nameOf(key: number): string {
  return `k${key}`;
}

/** While this is in force, the history hears how often the engine ends a direct message, and which epoch took it. */
export function watchDirectMessages(world: () => World): () => void {
  return replaceMethod(
    KeyQueue.prototype,
    'accept',
    (accept) =>
      function (argument) {
        const { shard, number } = (this as KeyQueue).epoch;
        const message = argument as DirectTrackedMessage;
        const { direct } = message.payload as { direct: DirectRecord };
        const { history } = world();
        const { resolve, reject } = message;
        Object.assign(message, {
          resolve: (outcome: Parameters<typeof resolve>[0]) => {
            history.directEnded(direct, 'resolved');
            resolve(outcome);
          },
          reject: (error: unknown) => {
            history.directEnded(direct, 'rejected');
            reject(error);
          },
        });
        history.accepted(history.epoch(direct.process, shard, number), direct);
        accept.call(this, message);
      },
  );
}
