import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endGuard, freePort, guard, GUARD, MAP, outputOf, prepareNode, RabbitMqNode } from './rabbitmq-node.js';
import { searchPath } from './rabbitmq-programs.js';

/** RabbitMQ nodes of one's own that form a cluster. Each can be killed and booted again. */
export class RabbitMqCluster {
  private constructor(
    readonly nodes: readonly RabbitMqNode[],
    /** Ends with us, and takes the port mapper and the folder of the cluster with it. */
    private readonly mapperGuard: ChildProcess,
  ) {}

  /** Starts a cluster and resolves when each of its nodes takes connections. */
  static async start(size: number): Promise<RabbitMqCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'mississippi-rabbitmq-cluster-'));
    const home = join(folder, 'home');
    mkdirSync(home);
    writeFileSync(join(home, '.erlang.cookie'), randomBytes(16).toString('hex'), { mode: 0o400 });
    const mapper = await freePort();
    const mapperGuard = await startMapper(mapper, folder);
    const ports: number[] = [];
    while (ports.length < size) ports.push(await freePort());
    const nodes = await Promise.all(
      ports.map(async (port) => {
        const own = join(folder, String(port));
        mkdirSync(own);
        return new RabbitMqNode(await prepareNode({ folder: own, port, mapper, home, cluster: ports }));
      }),
    );
    const cluster = new RabbitMqCluster(nodes, mapperGuard);
    try {
      await Promise.all(nodes.map((node) => node.boot()));
      await nodes[0]!.ask('await_online_nodes', String(size), '--timeout', '60');
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** The urls of all nodes, from one of them on. */
  urls(first = 0): string[] {
    return this.nodes.map((_, index) => this.nodes[(first + index) % this.nodes.length]!.url);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await endGuard(this.mapperGuard);
  }
}

/** A port mapper in a process group of its own, since it outlives every node. */
async function startMapper(port: number, folder: string): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', `${MAP} echo up; wait`], {
    env: { ...process.env, PATH: searchPath(), ERL_EPMD_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const mapperGuard = guard(GUARD, String(child.pid), folder);
  const output = outputOf(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => output().includes('up') && resolve());
    child.once('exit', (code) => reject(new Error(`epmd ended with ${code}:\n${output()}`)));
  });
  return mapperGuard;
}
