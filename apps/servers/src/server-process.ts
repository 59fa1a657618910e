import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';

/** How long a server may take to start. Milliseconds. */
const STARTUP_TIMEOUT = 60_000;

/**
 * Waits until its input ends, by us or with us, however we end; then nothing is left of the server and its folder, into which
 * others that end in this moment may still write.
 */
const GUARD = `
cat >/dev/null
kill -s KILL -- "-$0"
for _ in 1 2 3 4 5; do rm -rf -- "$1" && exit; sleep 1; done
`;

/** How a server is started. */
export interface ServerStart {
  /** As people call it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its own, in the temporary directory: where it starts, and what goes with it. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Whose process it is, where it is not ours. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
  /** What it prints when it is up. */
  readonly up: RegExp;
}

/** A server that lives as long as this process. */
export class ServerProcess {
  private constructor(private readonly guard: ChildProcess) {}

  /** Resolves when it is up. It keeps nobody waiting: the process may end at any time and in any way. */
  static async start(start: ServerStart): Promise<ServerProcess> {
    const { command, args, folder, env, account } = start;
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const server = spawn(command, args, { cwd: folder, env, stdio: [...stdio], detached: true, ...account });
    const guard = spawn('sh', ['-c', GUARD, String(server.pid), folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    const own = new ServerProcess(guard);
    try {
      await started(server, start);
    } catch (error) {
      await own.stop();
      throw error;
    }
    release(server);
    release(guard);
    return own;
  }

  /** Ends it at once and removes its data. */
  async stop(): Promise<void> {
    this.guard.ref();
    const ended = once(this.guard, 'exit');
    this.guard.stdin?.end();
    await ended;
  }
}

async function started(server: ChildProcess, { name, up }: ServerStart): Promise<void> {
  let output = '';
  let timer: NodeJS.Timeout | undefined;
  const isUp = new Promise<void>((resolve, reject) => {
    const fail = (problem: string) => reject(new Error(`${name} ${problem}: ${output.trim().split('\n').at(-1)}`));
    for (const stream of [server.stdout, server.stderr]) {
      stream?.on('data', (data: Buffer) => {
        output += data.toString();
        if (up.test(output)) resolve();
      });
    }
    server.once('error', reject);
    server.once('exit', () => fail('ended before it was up'));
    timer = setTimeout(() => fail(`was not up within ${STARTUP_TIMEOUT / 1_000} s`), STARTUP_TIMEOUT);
  });
  await isUp.finally(() => clearTimeout(timer));
}

/** Lets this process end while the other one runs. */
function release(child: ChildProcess): void {
  child.unref();
  for (const stream of child.stdio) if (stream instanceof Socket) stream.unref();
}
