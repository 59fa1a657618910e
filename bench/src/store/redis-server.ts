import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endGuard, freePort, guard, GUARD, outputOf } from '#support/rabbitmq-node.js';

const PROGRAM = 'redis-server';

/** A Redis of one's own, which writes every change to its log and the log through once a second. */
export class RedisServer {
  private constructor(
    readonly url: string,
    /** Its process. */
    readonly pid: number,
    readonly version: string,
    private readonly guard: ChildProcess,
  ) {}

  static async start(): Promise<RedisServer> {
    const version = /v=(\S+)/.exec(spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];
    if (version === undefined) throw new Error(`${PROGRAM} is not installed: groupmq needs it (apt-get install).`);
    const folder = mkdtempSync(join(tmpdir(), 'mississippi-redis-'));
    const port = await freePort();
    const options = `--port ${port} --bind 127.0.0.1 --dir ${folder} --appendonly yes --appendfsync everysec`;
    const server = spawn(PROGRAM, options.split(' '), {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = outputOf(server);
    const guarding = guard(GUARD, String(server.pid), folder);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.once('exit', () => reject(new Error(`${PROGRAM} ended before it was up:\n${output()}`)));
        server.stdout.on('data', () => {
          if (output().includes('Ready to accept connections')) resolve();
        });
      });
    } catch (error) {
      await endGuard(guarding);
      throw error;
    }
    return new RedisServer(`redis://127.0.0.1:${port}`, server.pid!, version, guarding);
  }

  async stop(): Promise<void> {
    await endGuard(this.guard);
  }
}
