import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endGuard, freePort, guard, GUARD, outputOf, run } from '#support/rabbitmq-node.js';

/** Name a folder with the programs of another PostgreSQL release here, and the servers are of that release. */
const GIVEN_BINARIES = 'MISSISSIPPI_POSTGRES_BIN';
const PASSWORD = 'no-secret';

/** A database that tests may use. */
export interface PostgresHost {
  readonly url: string;
  stop(): Promise<void>;
}

/** What a server is started with. */
export interface ServerOptions {
  /** Settings of `postgresql.conf`. Whether it writes through (`fsync`) is as the server has it by default. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Whose processes and files a server's are; it refuses to run as root. */
interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** A PostgreSQL server of one's own: a data folder in the temporary directory, a free port on the loopback, a password. */
export class PostgresServer implements PostgresHost {
  private server: ChildProcess | undefined;
  private guard: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly account: Account | undefined,
    private readonly options: ServerOptions,
  ) {}

  get url(): string {
    return `postgres://postgres:${PASSWORD}@127.0.0.1:${this.port}/postgres`;
  }

  /** Makes a server and resolves when it takes connections. */
  static async start(options: ServerOptions = {}): Promise<PostgresServer> {
    const account = process.getuid?.() === 0 ? unprivileged() : undefined;
    const folder = mkdtempSync(join(tmpdir(), 'mississippi-postgres-'));
    const password = join(folder, 'password');
    writeFileSync(password, PASSWORD);
    if (account !== undefined) for (const path of [folder, password]) chownSync(path, account.uid, account.gid);
    initialize(folder, password, account);
    const server = new PostgresServer(await freePort(), folder, account, options);
    await server.boot();
    return server;
  }

  /** Starts the server on its data; after {@link kill} or {@link shut}. */
  async boot(): Promise<void> {
    const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: this.folder, ...this.options.settings };
    const server = spawn(
      program('postgres'),
      [
        '-D',
        join(this.folder, 'data'),
        '-p',
        String(this.port),
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      { cwd: this.folder, env: neutral(), stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...this.account },
    );
    this.server = server;
    this.guard = guard(GUARD, String(server.pid), this.folder);
    const output = outputOf(server);
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (what: string): void => reject(new Error(`postgres ${what} before it was up:\n${output()}`));
        const timer = setTimeout(() => fail('took 60 s'), 60_000);
        server.once('exit', (code) => fail(`ended with ${code}`));
        server.once('error', reject);
        server.stderr.on('data', () => {
          if (!output().includes('ready to accept connections')) return;
          clearTimeout(timer);
          resolve();
        });
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /**
   * Ends the server; its data stay. `fast`: sessions are ended and all is written; `immediate`: it recovers at the next
   * {@link boot}.
   */
  async shut(how: 'fast' | 'immediate'): Promise<void> {
    const { server, guard } = this;
    this.server = undefined;
    this.guard = undefined;
    guard?.kill('SIGKILL');
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server.once('exit', resolve));
    server.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await gone;
  }

  /** Ends the server as a power cut would. Its data stay. */
  async kill(): Promise<void> {
    const { server, guard } = this;
    this.server = undefined;
    this.guard = undefined;
    guard?.kill('SIGKILL'); // Before the group, whose number may be given to others afterwards.
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server.once('exit', resolve));
    process.kill(-server.pid, 'SIGKILL');
    // Processes of sessions have groups of their own, and end when they see that theirs has.
    await gone;
  }

  async stop(): Promise<void> {
    const { guard, server } = this;
    this.server = undefined;
    this.guard = undefined;
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGQUIT'); // Immediate: nothing of it is needed any more.
      await gone;
    }
    if (guard !== undefined) await endGuard(guard);
  }
}

/** The same in a container, where Docker is all there is. */
export class PostgresContainer implements PostgresHost {
  private constructor(
    readonly url: string,
    private readonly guard: ChildProcess,
  ) {}

  static async start(): Promise<PostgresContainer> {
    const port = await freePort();
    const name = `mississippi-postgres-${port}`;
    const cleaner = guard('cat >/dev/null; docker rm --force --volumes "$0"', name);
    try {
      const environment = ['--env', `POSTGRES_PASSWORD=${PASSWORD}`];
      run('docker', [
        'run',
        '--detach',
        '--name',
        name,
        ...environment,
        '--publish',
        `127.0.0.1:${port}:5432`,
        'postgres:17',
      ]);
      // The image starts a first server that listens to no network, to set itself up.
      run('docker', ['exec', name, 'sh', '-c', 'until pg_isready --host 127.0.0.1; do sleep 0.2; done']);
      return new PostgresContainer(`postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`, cleaner);
    } catch (error) {
      await endGuard(cleaner);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await endGuard(this.guard);
  }
}

/** Whether the server's programs are installed. Debian keeps them off the PATH. */
export function hasPostgres(): boolean {
  return binaries() !== undefined;
}

function binaries(): string | undefined {
  const given = process.env[GIVEN_BINARIES];
  if (given !== undefined && given !== '') return given;
  const debian = '/usr/lib/postgresql';
  const releases = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const configured = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim();
  const folders = [...releases.map((release) => join(debian, release, 'bin')), ...(configured ? [configured] : [])];
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
}

function program(name: string): string {
  const folder = binaries();
  if (folder === undefined) throw new Error('PostgreSQL is not installed here.');
  return join(folder, name);
}

function initialize(folder: string, passwordFile: string, account: Account | undefined): void {
  const result = spawnSync(
    program('initdb'),
    `-D ${join(folder, 'data')} -U postgres -A scram-sha-256 --pwfile=${passwordFile} -E UTF8 --locale=C --no-sync --no-instructions`.split(
      ' ',
    ),
    { encoding: 'utf8', cwd: folder, env: neutral(), ...account },
  );
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`initdb failed: ${result.stderr}${result.stdout}`);
}

/** Nothing of the caller's own server may reach ours. */
function neutral(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG')));
}

/** Whom the server's package has made for it, or whoever owns nothing. */
function unprivileged(): Account {
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
    if (uid!.status === 0 && gid!.status === 0) return { uid: Number(uid!.stdout), gid: Number(gid!.stdout) };
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody.');
}
