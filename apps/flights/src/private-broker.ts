import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const HOST = '127.0.0.1';

/** How long a broker may take to start. Milliseconds. */
const STARTUP_TIMEOUT = 60_000;

/** What rabbitmq-server prints when it is up. */
const UP = / completed with \d+ plugins/;

/** The port mapper, then the server, in one process group: whoever ends the group ends both. */
const BOOT = `
epmd -address ${HOST} -port "$ERL_EPMD_PORT" &
until epmd -port "$ERL_EPMD_PORT" -names >/dev/null 2>&1; do kill -0 $! || exit 1; done
exec "$0"
`;

/** Waits until its input ends, by us or with us, however we end; then nothing is left of the broker. */
const GUARD = 'cat >/dev/null; kill -s KILL -- "-$0"; rm -rf -- "$1"';

/** There is no RabbitMQ to start; the message says in two lines how to get one. */
export class NoBrokerError extends Error {
  override readonly name = 'NoBrokerError';

  constructor() {
    super(
      'There is no RabbitMQ here to start: apt-get install rabbitmq-server, or brew install rabbitmq.\n' +
        'Or give the url of one: --rabbitmq=amqp://localhost, after docker run -p 5672:5672 rabbitmq:4 for example.',
    );
  }
}

/** A RabbitMQ that lives as long as this process: data in a temporary folder, free ports, shared with nobody. */
export class PrivateBroker {
  private constructor(
    readonly url: string,
    private readonly guard: ChildProcess,
  ) {}

  /**
   * Resolves when it takes connections. It keeps nobody waiting: the process may end at any time and in any way.
   * @throws {NoBrokerError} when none is installed
   */
  static async start(): Promise<PrivateBroker> {
    const command = serverCommand();
    if (command === undefined) throw new NoBrokerError();
    const folder = await mkdtemp(path.join(tmpdir(), 'flights-rabbitmq-'));
    const port = await freePort();
    const server = spawn('sh', ['-c', BOOT, command], {
      // Erlang leaves its dumps where it was started.
      cwd: folder,
      env: { ...process.env, ...(await settings(folder, port)) },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const guard = spawn('sh', ['-c', GUARD, String(server.pid), folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    const broker = new PrivateBroker(`amqp://guest:guest@${HOST}:${port}`, guard);
    try {
      await started(server);
    } catch (error) {
      await broker.stop();
      throw error;
    }
    release(server);
    release(guard);
    return broker;
  }

  /** Ends it at once and removes its data. */
  async stop(): Promise<void> {
    this.guard.ref();
    const ended = once(this.guard, 'exit');
    this.guard.stdin?.end();
    await ended;
  }
}

/** Debian's command on the PATH switches users; the package's own runs as whoever calls it. */
function serverCommand(): string | undefined {
  const own = '/usr/lib/rabbitmq/bin/rabbitmq-server';
  if (existsSync(own)) return own;
  const { status, stdout } = spawnSync('sh', ['-c', 'command -v rabbitmq-server'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** Everything that a node would share with others on this machine is its own. */
async function settings(folder: string, port: number): Promise<NodeJS.ProcessEnv> {
  const config = path.join(folder, 'rabbitmq.conf');
  await writeFile(config, `listeners.tcp.default = ${HOST}:${port}\ndisk_free_limit.absolute = 50MB\n`);
  const home = path.join(folder, 'home');
  await mkdir(home);
  return {
    HOME: home,
    RABBITMQ_NODENAME: `flights${port}@localhost`,
    RABBITMQ_DIST_PORT: String(await freePort()),
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_MNESIA_BASE: path.join(folder, 'data'),
    RABBITMQ_LOG_BASE: path.join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: path.join(folder, 'plugins'),
    ERL_EPMD_ADDRESS: HOST,
    ERL_EPMD_PORT: String(await freePort()),
    // No port mapper that would outlive it, and no schedulers that take a core while they wait.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-start_epmd false +sbwt none +sbwtdcpu none +sbwtdio none',
  };
}

async function started(server: ChildProcess): Promise<void> {
  let output = '';
  let timer: NodeJS.Timeout | undefined;
  const up = new Promise<void>((resolve, reject) => {
    const fail = (problem: string) => reject(new Error(`RabbitMQ ${problem}: ${output.trim().split('\n').at(-1)}`));
    for (const stream of [server.stdout, server.stderr]) {
      stream?.on('data', (data: Buffer) => {
        output += data.toString();
        if (UP.test(output)) resolve();
      });
    }
    server.once('error', reject);
    server.once('exit', () => fail('ended before it was up'));
    timer = setTimeout(() => fail(`was not up within ${STARTUP_TIMEOUT / 1_000} s`), STARTUP_TIMEOUT);
  });
  await up.finally(() => clearTimeout(timer));
}

/** Lets this process end while the other one runs. */
function release(child: ChildProcess): void {
  child.unref();
  for (const stream of child.stdio) if (stream instanceof Socket) stream.unref();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
