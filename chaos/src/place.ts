import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Recorder } from '@mississippi/history';
import { Changes } from '#support/changes.js';
import { TcpProxy } from '#support/tcp-proxy.js';
import { struckMark, type StepFault, type StepPlace } from './store/steps.js';
import { MUTANT_VARIABLE, type Answer, type Command, type ProcessPlan } from './protocol.js';
import { tell } from './tell.js';

/** How long a process may take to start, or to leave in good order. Milliseconds. */
const PATIENCE = 60_000;

export type PlacePlan = Omit<ProcessPlan, 'name' | 'index' | 'url'>;

/** Where an embedded process would look for a broker. */
const NOWHERE = 'amqp://127.0.0.1:1';

type Script = 'worker' | 'publisher' | 'store/embedded-process';

/** Where one process after the other runs, behind a proxy of its own. */
export class Place extends Changes {
  /** Name of the process that runs, or ran last. */
  current: string;
  /** The process is up. */
  up = false;
  /** A fault holds it, and no other may begin. */
  held = false;
  quiet = false;
  private child: ChildProcess | undefined;
  private starts = 0;
  /** Its end is asked for. */
  private leaving = false;
  private killing = false;

  private constructor(
    readonly name: string,
    private readonly index: number,
    private readonly script: Script,
    private readonly plan: PlacePlan,
    readonly proxy: TcpProxy,
    /** Before the database, where there is one. */
    readonly storeProxy: TcpProxy | undefined,
    private readonly recorder: Recorder,
    private readonly mutant: string | undefined,
  ) {
    super();
    this.current = name;
  }

  static async open(
    name: string,
    index: number,
    script: Script,
    plan: PlacePlan,
    brokerUrl: string | undefined,
    recorder: Recorder,
    mutant?: string,
  ): Promise<Place> {
    const { store } = plan;
    const storeProxy = store === undefined || store.embedded ? undefined : await TcpProxy.start(store.url);
    const proxy = await TcpProxy.start(brokerUrl ?? NOWHERE);
    return new Place(name, index, script, plan, proxy, storeProxy, recorder, mutant);
  }

  get occupied(): boolean {
    return this.child !== undefined;
  }

  /** Starts the next process. Resolves when its app is up. */
  async start(): Promise<void> {
    const name = (this.current = `${this.name}.${++this.starts}`);
    const plan: ProcessPlan = { ...this.plan, name, index: this.index, url: this.proxy.url, ...this.storePlan };
    const log = openSync(join(this.plan.folder, `${name}.log`), 'a');
    const script = fileURLToPath(new URL(`./${this.script}.js`, import.meta.url));
    const child = fork(script, [JSON.stringify(plan)], {
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...process.env, ...(this.mutant === undefined ? {} : { [MUTANT_VARIABLE]: this.mutant }) },
    });
    closeSync(log);
    this.child = child;
    this.leaving = false;
    this.killing = false;
    this.quiet = false;
    child.on('message', (answer: Answer) => {
      if (answer.type === 'up') this.up = true;
      else this.quiet = true;
      this.changed();
    });
    child.on('error', () => undefined); // A message to a process that is gone; 'exit' tells.
    child.once('exit', (code) => this.ended(name, code));
    await this.until(`${name} was up`, () => this.up || this.child !== child, PATIENCE);
  }

  /** Where this place's processes find the database. */
  private get storePlan(): Pick<ProcessPlan, 'store'> {
    const { store } = this.plan;
    if (store === undefined || this.storeProxy === undefined) return {};
    const url = new URL(store.url);
    url.port = String(this.storeProxy.port);
    return { store: { ...store, url: url.href } };
  }

  /** Has the process strike itself at a step. Resolves with where it was, or `undefined` if it did not come there in time. */
  async strikeAt(point: string, fault: StepFault, patience: number): Promise<StepPlace | undefined> {
    const { child, current } = this;
    if (child === undefined) return undefined;
    const mark = join(this.plan.folder, struckMark(current));
    const killing = fault === 'die';
    this.killing = killing;
    this.send({ type: 'arm', point, fault });
    const end = performance.now() + patience;
    while (!existsSync(mark)) {
      if (performance.now() > end || this.child !== child) {
        this.send({ type: 'disarm' });
        await sleep(200); // It may be under way.
        if (existsSync(mark)) break;
        if (this.child === child) this.killing = false;
        return undefined;
      }
      await sleep(10);
    }
    this.recorder.record({ type: 'fault', fault: killing ? 'kill' : 'stop', target: current });
    if (killing && this.child === child) await once(child, 'exit');
    const text = readFileSync(mark, 'utf8');
    rmSync(mark);
    return JSON.parse(text) as StepPlace;
  }

  send(command: Command): void {
    if (command.type === 'pause' || command.type === 'goOn') this.quiet = false;
    tell(this.child, command);
  }

  /** Ends the process as a power cut would. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    this.killing = true;
    this.recorder.record({ type: 'fault', fault: 'kill', target: this.current });
    child.kill('SIGKILL');
    if (this.child === child) await once(child, 'exit');
  }

  /** Asks the process to leave in good order. */
  async leave(): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    this.leaving = true;
    child.kill('SIGTERM');
    await this.until(`${this.current} left`, () => this.child !== child, PATIENCE);
  }

  stop(fault: 'stop' | 'stall'): void {
    this.child?.kill('SIGSTOP');
    this.recorder.record({ type: 'fault', fault, target: this.current });
  }

  continue(): void {
    this.recorder.record({ type: 'healed', fault: 'stop', target: this.current });
    this.child?.kill('SIGCONT');
  }

  /** Ends whatever is left. */
  async close(): Promise<void> {
    const { child } = this;
    if (child !== undefined) {
      this.killing = true;
      child.kill('SIGKILL');
      if (this.child === child) await once(child, 'exit');
    }
    await this.proxy.close();
    await this.storeProxy?.close();
  }

  /** For the moment in which this process ends. */
  killNow(): void {
    this.child?.kill('SIGKILL');
  }

  private ended(name: string, code: number | null): void {
    this.child = undefined;
    this.up = false;
    const how = this.killing ? 'killed' : this.leaving && code === 0 ? 'left' : 'crashed';
    this.recorder.record({ type: 'exited', target: name, how });
    this.changed();
  }
}
