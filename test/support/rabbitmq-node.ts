import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program, searchPath } from '#support/rabbitmq-programs.js';

/** The share of the machine's memory above which a node blocks those who publish. */
export const MEMORY_WATERMARK = 0.6;

/** A broker that tests may command. */
export interface BrokerNode {
  readonly url: string;
  /** Runs `rabbitmqctl` and returns what it printed. */
  ctl(...args: string[]): string;
  /** Evaluates Erlang inside the broker. */
  eval(expression: string): string;
  stop(): Promise<void>;
}

/** What another process needs to command a node. */
export interface NodeHandle {
  readonly port: number;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Names the Erlang nodes that listen; answers only while the port mapper runs. */
const MAPPED = 'epmd -port "$ERL_EPMD_PORT" -names >/dev/null 2>&1';

/** The port mapper, and what goes on when it answers. */
export const MAP = `
epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" &
until ${MAPPED}; do kill -0 $! || exit 1; done
`;

/** The server, and the port mapper unless there is one, in one process group: whoever ends the group ends both. */
const BOOT = `
if ! ${MAPPED}; then ${MAP} fi
exec "$0"
`;

/**
 * Waits until its input ends, by us or with us, however we end; then nothing is left of a process group and a folder,
 * into which others that end in this moment may still write.
 */
export const GUARD = `
cat >/dev/null
kill -s KILL -- "-$0"
for _ in 1 2 3 4 5; do rm -rf -- "$1" && exit; sleep 1; done
`;

/** Where Erlang nodes listen for each other: by default on every interface. */
const LOOPBACK_ONLY = '-kernel inet_dist_use_interface {127,0,0,1}';

/** A RabbitMQ node of one's own: a data folder in the temporary directory, free ports, no shared cookie. */
export class RabbitMqNode implements BrokerNode {
  private server: ChildProcess | undefined;
  private guard: ChildProcess | undefined;

  constructor(readonly handle: NodeHandle) {}

  get port(): number {
    return this.handle.port;
  }

  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.port}`;
  }

  /** Its name among Erlang nodes. */
  get name(): string {
    return nodeName(this.port);
  }

  /**
   * Starts a node and resolves when it takes connections.
   * @param settings of the application `rabbit`, by their Erlang names: `rabbitmq.conf` has not all of them
   */
  static async start(settings: Readonly<Record<string, number>> = {}): Promise<RabbitMqNode> {
    const folder = mkdtempSync(join(tmpdir(), 'mississippi-rabbitmq-'));
    const ports = { port: await freePort(), mapper: await freePort() };
    const node = new RabbitMqNode(await prepareNode({ folder, ...ports, settings }));
    await node.boot();
    return node;
  }

  /** Boots the node on its data; after {@link kill}. */
  async boot(): Promise<void> {
    const server = spawn('sh', ['-c', BOOT, program('rabbitmq-server')], {
      cwd: this.handle.folder, // A node that is killed may leave a dump where it runs.
      env: this.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.server = server;
    this.guard = guard(GUARD, String(server.pid), this.handle.folder);
    const output = outputOf(server);
    const ended = new Promise<never>((_, reject) => {
      server.once('exit', (code) => {
        reject(new Error(`rabbitmq-server ended with ${code} before it was up:\n${output()}`));
      });
    });
    ended.catch(() => undefined);
    try {
      await Promise.race([this.awaitStartup(), ended]);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  eval(expression: string): string {
    return this.ctl('eval', expression);
  }

  ctl(...args: string[]): string {
    return run(program('rabbitmqctl'), ['--node', this.name, ...args], this.environment());
  }

  /** As {@link ctl}, but lets the test go on meanwhile. */
  async ask(...args: string[]): Promise<string> {
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
    const child = spawn(program('rabbitmqctl'), ['--node', this.name, ...args], { env: this.environment(), stdio });
    const output = outputOf(child);
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`rabbitmqctl ${args.join(' ').slice(0, 200)} failed: ${output()}`);
    return output().trim();
  }

  /** Ends the node as a power cut would. Its data stay. */
  async kill(): Promise<void> {
    const { server, guard } = this;
    this.server = undefined;
    this.guard = undefined;
    // Before the group, whose number may be given to others afterwards.
    guard?.kill('SIGKILL');
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server.once('exit', resolve));
    process.kill(-server.pid, 'SIGKILL');
    await gone;
  }

  /** As {@link kill}, and its data are gone too: when it boots again it is another broker at the same address. */
  async wipe(): Promise<void> {
    await this.kill();
    rmSync(this.handle.env['RABBITMQ_MNESIA_BASE']!, { recursive: true, force: true });
  }

  /** What the node has logged, of all that it was. */
  logged(): string {
    const folder = this.handle.env['RABBITMQ_LOG_BASE']!;
    return readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('');
  }

  /** Ends the node and removes its data. */
  async stop(): Promise<void> {
    const { guard } = this;
    this.server = undefined;
    this.guard = undefined;
    if (guard !== undefined) await endGuard(guard);
  }

  private environment(): NodeJS.ProcessEnv {
    return { ...process.env, PATH: searchPath(), ...this.handle.env };
  }

  private async awaitStartup(): Promise<void> {
    try {
      await this.ask('wait', '--pid', String(this.server!.pid), '--timeout', '60');
    } catch (error) {
      throw new Error(`the node did not come up within 60 s (logs in ${this.handle.folder}/log)`, { cause: error });
    }
  }
}

/** What a node is made of. */
export interface NodePlan {
  /** An empty folder for its data, configuration and logs. */
  readonly folder: string;
  readonly port: number;
  /** Port of its port mapper. */
  readonly mapper: number;
  /** The home folder, which has the cookie. Default a new one in `folder`. */
  readonly home?: string;
  /** Ports of all nodes of the cluster that it forms with others. */
  readonly cluster?: readonly number[];
  /** Of the application `rabbit`, by their Erlang names. */
  readonly settings?: Readonly<Record<string, number>>;
}

/** Writes what a node needs to boot. */
export async function prepareNode({
  folder,
  port,
  mapper,
  home,
  cluster = [],
  settings = {},
}: NodePlan): Promise<NodeHandle> {
  const config = join(folder, 'rabbitmq.conf');
  writeFileSync(
    config,
    [
      `listeners.tcp.default = 127.0.0.1:${port}`,
      'loopback_users = none',
      'log.console = false',
      `vm_memory_high_watermark.relative = ${MEMORY_WATERMARK}`,
      'disk_free_limit.absolute = 50MB',
      ...cluster.map((peer, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${nodeName(peer)}`),
      '',
    ].join('\n'),
  );
  const advanced = join(folder, 'advanced.config');
  const terms = Object.entries(settings).map(([name, value]) => `{${name}, ${value}}`);
  writeFileSync(advanced, `[{rabbit, [${terms.join(', ')}]}].\n`);
  const ownHome = join(folder, 'home');
  if (home === undefined) mkdirSync(ownHome);
  const env = {
    HOME: home ?? ownHome,
    RABBITMQ_NODENAME: nodeName(port),
    RABBITMQ_DIST_PORT: String(await freePort()),
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_ADVANCED_CONFIG_FILE: advanced,
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    // A port mapper of its own, or of its cluster, and no other that would outlive the node.
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(mapper),
    RABBITMQ_CTL_ERL_ARGS: `-start_epmd false ${LOOPBACK_ONLY}`,
    // Any free port: of the eleven that they share by default, others on this machine may have all.
    RABBITMQ_CTL_DIST_PORT_MIN: '0',
    RABBITMQ_CTL_DIST_PORT_MAX: '0',
    // No dump of whatever is interrupted in the middle.
    ERL_CRASH_DUMP_SECONDS: '0',
    // Schedulers that spin would take the cores from the tests.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-start_epmd false ${LOOPBACK_ONLY} +sbwt none +sbwtdcpu none +sbwtdio none`,
  };
  return { port, folder, env };
}

function nodeName(port: number): string {
  return `mississippi${port}@localhost`;
}

/** The same in a container, where Docker is all there is. */
export class RabbitMqContainer implements BrokerNode {
  private constructor(
    readonly url: string,
    private readonly name: string,
    private readonly guard: ChildProcess,
  ) {}

  static async start(): Promise<RabbitMqContainer> {
    const port = await freePort();
    const name = `mississippi-rabbitmq-${port}`;
    const cleaner = guard('cat >/dev/null; docker rm --force --volumes "$0"', name);
    try {
      run('docker', ['run', '--detach', '--name', name, '--publish', `127.0.0.1:${port}:5672`, 'rabbitmq:3.13']);
      const container = new RabbitMqContainer(`amqp://guest:guest@127.0.0.1:${port}`, name, cleaner);
      await logged(name, 'Server startup complete');
      return container;
    } catch (error) {
      await endGuard(cleaner);
      throw error;
    }
  }

  eval(expression: string): string {
    return this.ctl('eval', expression);
  }

  ctl(...args: string[]): string {
    return run('docker', ['exec', this.name, 'rabbitmqctl', ...args]);
  }

  async stop(): Promise<void> {
    await endGuard(this.guard);
  }
}

/** Resolves when a container has written something. To ask it by rabbitmqctl before would make a cookie of its own. */
async function logged(container: string, text: string): Promise<void> {
  const child = spawn('docker', ['logs', '--follow', container], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = outputOf(child);
  await new Promise<void>((resolve, reject) => {
    const fail = (what: string): void => reject(new Error(`The container ${what} before it was up:\n${output()}`));
    const timer = setTimeout(() => fail('took 60 s'), 60_000);
    child.once('exit', () => {
      clearTimeout(timer);
      fail('ended');
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', () => {
        if (!output().includes(text)) return;
        clearTimeout(timer);
        resolve();
      });
    }
  });
  child.kill();
}

/** A shell that outlives us and cleans up as soon as its input ends. It keeps nobody waiting. */
export function guard(script: string, ...args: string[]): ChildProcess {
  const child = spawn('sh', ['-c', script, ...args], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.unref();
  return child;
}

/** Lets a guard do its work, and resolves when it has. */
export async function endGuard(child: ChildProcess): Promise<void> {
  const done = new Promise((resolve) => child.once('exit', resolve));
  // Whoever waits for it must not end before: with nothing else to do Node would end in the middle, and tell success.
  child.ref();
  child.stdin?.end();
  await done;
}

export function run(command: string, args: string[], env?: NodeJS.ProcessEnv): string {
  const result = spawnSync(command, args, { env, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ').slice(0, 200)} failed: ${result.stderr}${result.stdout}`);
  return result.stdout.trim();
}

export function outputOf(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (output += String(data)));
  return () => output;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
