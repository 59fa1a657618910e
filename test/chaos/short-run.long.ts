import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Most of what can break breaks at least once within this time: the broker is wiped first of all, and killed. */
const RUN = [
  '--minutes',
  '0.55',
  '--processes',
  '3',
  '--seed',
  '372',
  '--shards',
  '6',
  '--keys',
  '20',
  '--rate',
  '150',
];
const DENSE = ['--heartbeat', '1', '--interval', '200,800', '--consumer-timeout', '15'];

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

async function chaos(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, ['chaos/dist/main.js', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

beforeAll(() => {
  // The processes of a run are what is built.
  const build = spawnSync('npx', ['tsc', '-b', 'tsconfig.build.json'], { cwd: ROOT, encoding: 'utf8' });
  if (build.status !== 0) throw new Error(`the build failed:\n${build.stdout}${build.stderr}`);
}, 120_000);

test('every promise holds while processes, connections and the broker break', async () => {
  const { code, output } = await chaos(...RUN, ...DENSE);
  expect(`${code} ${output}`).toMatch(/^0 /);
  // How many blows a run has time for depends on the machine; the broker must have had one.
  expect(output).toMatch(/(broker|wipe) [1-9]/);
}, 300_000);

test('with a store each message has its effect once while processes and the database break', async () => {
  const store = ['--store', '--minutes', '0.2', '--seed', '3', '--shards', '6', '--keys', '20', '--rate', '40'];
  const faults = ['--actions', 'kill,dieAt,storeCut,storeRestart,badRow', '--interval', '200,800', '--heartbeat', '1'];
  const { code, output } = await chaos(...store, ...faults);
  expect(`${code} ${output}`).toMatch(/^0 /);
  expect(output).toMatch(/^[1-9]\d* messages had to have an effect/m);
  expect(output).toMatch(/storeRestart [1-9]/);
}, 300_000);

test('a command line that cannot be followed is told with the usage, and nothing is started', async () => {
  const { code, output } = await chaos('--actions', 'earthquake');
  expect(code).toBe(2);
  expect(output).toMatch(/^Unknown action 'earthquake'[^]*Usage: /);
});
