import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort, HOST } from './network.js';
import { NoServerError } from './no-server.error.js';
import { ServerProcess } from './server-process.js';

/** The port mapper, then the server, in one process group: whoever ends the group ends both. */
const BOOT = `
epmd -address ${HOST} -port "$ERL_EPMD_PORT" &
until epmd -port "$ERL_EPMD_PORT" -names >/dev/null 2>&1; do kill -0 $! || exit 1; done
exec "$0"
`;

/** A RabbitMQ that lives as long as this process: data in a temporary folder, free ports, shared with nobody. */
export class PrivateBroker {
  private constructor(
    readonly url: string,
    private readonly server: ServerProcess,
  ) {}

  /**
   * Resolves when it takes connections.
   * @throws {NoServerError} when none is installed
   */
  static async start(): Promise<PrivateBroker> {
    const command = serverCommand();
    if (command === undefined) {
      throw new NoServerError(
        'There is no RabbitMQ here to start: apt-get install rabbitmq-server, or brew install rabbitmq.\n' +
          'Or give the url of one: --rabbitmq=amqp://localhost, after docker run -p 5672:5672 rabbitmq:4 for example.',
      );
    }
    const folder = await mkdtemp(path.join(tmpdir(), 'mississippi-rabbitmq-'));
    const port = await freePort();
    const server = await ServerProcess.start({
      name: 'RabbitMQ',
      command: 'sh',
      args: ['-c', BOOT, command],
      // Erlang leaves its dumps where it was started.
      folder,
      env: { ...process.env, ...(await settings(folder, port)) },
      up: / completed with \d+ plugins/,
    });
    return new PrivateBroker(`amqp://guest:guest@${HOST}:${port}`, server);
  }

  /** Ends it at once and removes its data. */
  async stop(): Promise<void> {
    await this.server.stop();
  }
}

/** Of another release where its folder is given, as for the tests. */
const GIVEN = process.env['MISSISSIPPI_RABBITMQ_BIN'] ?? '';

/** Debian's command on the PATH switches users; the package's own runs as whoever calls it. */
function serverCommand(): string | undefined {
  const own = path.join(GIVEN === '' ? '/usr/lib/rabbitmq/bin' : GIVEN, 'rabbitmq-server');
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
    // A release in a place of its own may bring its own port mapper.
    PATH: [...(GIVEN === '' ? [] : [GIVEN]), process.env['PATH']].join(path.delimiter),
    RABBITMQ_NODENAME: `mississippi${port}@localhost`,
    RABBITMQ_DIST_PORT: String(await freePort()),
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_MNESIA_BASE: path.join(folder, 'data'),
    RABBITMQ_LOG_BASE: path.join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: path.join(folder, 'plugins'),
    ERL_EPMD_ADDRESS: HOST,
    ERL_EPMD_PORT: String(await freePort()),
    // No port mapper that would outlive it, no other Erlang nodes but on this machine, and no schedulers that take a core
    // while they wait.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none',
  };
}
