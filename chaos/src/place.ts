import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Recorder } from '@mississippi/history';
import { Changes } from '#support/changes.js';
import { TcpProxy } from '#support/tcp-proxy.js';
import { MUTANT_VARIABLE, type Answer, type Command, type ProcessPlan } from './protocol.js';

/** How long a process may take to start, or to leave in good order. Milliseconds. */
const PATIENCE = 60_000;

export type PlacePlan = Omit<ProcessPlan, 'name' | 'index' | 'url'>;

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
    private readonly script: 'worker' | 'publisher',
    private readonly plan: PlacePlan,
    readonly proxy: TcpProxy,
    private readonly recorder: Recorder,
    private readonly mutant: string | undefined,
  ) {
    super();
    this.current = name;
  }

  static async open(
    name: string,
    index: number,
    script: 'worker' | 'publisher',
    plan: PlacePlan,
    brokerUrl: string,
    recorder: Recorder,
    mutant?: string,
  ): Promise<Place> {
    return new Place(name, index, script, plan, await TcpProxy.start(brokerUrl), recorder, mutant);
  }

  get occupied(): boolean {
    return this.child !== undefined;
  }

  /** Starts the next process. Resolves when its app is up. */
  async start(): Promise<void> {
    const name = (this.current = `${this.name}.${++this.starts}`);
    const plan: ProcessPlan = { ...this.plan, name, index: this.index, url: this.proxy.url };
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

  send(command: Command): void {
    if (command.type === 'pause' || command.type === 'goOn') this.quiet = false;
    if (this.child?.connected === true) this.child.send(command);
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
