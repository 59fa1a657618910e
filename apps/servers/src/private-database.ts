import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort, HOST } from './network.js';
import { NoServerError } from './no-server.error.js';
import { type Account, programFolder, unprivileged } from './postgres-programs.js';
import { ServerProcess } from './server-process.js';

/** A PostgreSQL that lives as long as this process: data in a temporary folder, a free port, shared with nobody. */
export class PrivateDatabase {
  private constructor(
    readonly url: string,
    private readonly server: ServerProcess,
  ) {}

  /**
   * Resolves when it takes connections.
   * @throws {NoServerError} when none is installed
   */
  static async start(): Promise<PrivateDatabase> {
    const programs = programFolder();
    if (programs === undefined) {
      throw new NoServerError(
        'There is no PostgreSQL here to start: apt-get install postgresql, or brew install postgresql.\n' +
          'Or give the url of one: --postgres=postgres://user:password@localhost/database.',
      );
    }
    const account = unprivileged();
    const folder = await mkdtemp(path.join(tmpdir(), 'mississippi-postgres-'));
    if (account !== undefined) chownSync(folder, account.uid, account.gid);
    const port = await freePort();
    // Settings of another server must not reach it.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG')));
    const data = path.join(folder, 'data');
    initialize(path.join(programs, 'initdb'), data, { cwd: folder, env, ...account });
    const server = await ServerProcess.start({
      name: 'PostgreSQL',
      command: path.join(programs, 'postgres'),
      args: [
        '-D',
        data,
        '-p',
        String(port),
        '-c',
        `listen_addresses=${HOST}`,
        '-c',
        `unix_socket_directories=${folder}`,
      ],
      folder,
      env,
      account,
      up: /ready to accept connections/,
    });
    return new PrivateDatabase(`postgres://mississippi@${HOST}:${port}/postgres`, server);
  }

  /** Ends it at once and removes its data. */
  async stop(): Promise<void> {
    await this.server.stop();
  }
}

type InitOptions = { cwd: string; env: NodeJS.ProcessEnv } & Partial<Account>;

function initialize(initdb: string, data: string, options: InitOptions): void {
  // Whoever is on this machine may connect for as long as it runs: it holds made-up transfers.
  const args = ['-D', data, '-U', 'mississippi', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-instructions', '-N'];
  const { error, status, stderr } = spawnSync(initdb, args, { encoding: 'utf8', ...options });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`initdb failed: ${stderr.trim().split('\n').at(-1)}`);
}
