import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SHARDS = 4;

interface Settling {
  readonly level: number | null;
  readonly taken: number;
  readonly first: number;
  readonly refused: number;
  readonly errors: number;
  readonly shares: readonly number[];
  readonly needed?: number;
}

interface Results {
  readonly start: {
    readonly alone: Settling;
    readonly together: readonly Settling[];
    readonly joins: readonly Settling[];
  };
  readonly kill: readonly (readonly number[])[];
}

const folder = mkdtempSync(join(tmpdir(), 'mississippi-bench-'));

beforeAll(() => {
  // The processes of a run are what is built.
  const build = spawnSync('npx', ['tsc', '-b', 'tsconfig.build.json'], { cwd: ROOT, encoding: 'utf8' });
  if (build.status !== 0) throw new Error(`the build failed:\n${build.stdout}${build.stderr}`);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

test('the benchmark of ownership measures what processes do with a real broker', async () => {
  const file = join(folder, 'results.json');
  const sizes = ['--processes', '2', '--shards', String(SHARDS), '--rounds', '1', '--kills', '1'];
  const args = ['bench/dist/ownership/main.js', '--only', 'start,kill', ...sizes, '--out', file];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  const [code] = (await once(child, 'close')) as [number | null];
  expect(`${code} ${output}`).toMatch(/^0 /);

  const { start, kill } = JSON.parse(readFileSync(file, 'utf8')) as Results;
  expect(start.alone).toMatchObject({ taken: SHARDS, first: SHARDS, shares: [SHARDS] });
  // The first claim of a shard asks for a refusal (decision 0003). The broker counts errors, its log names those of claims.
  expect(start.alone.refused).toBe(SHARDS);
  expect(start.alone.errors).toBeGreaterThanOrEqual(SHARDS);
  expect(start.together[0]!.shares).toEqual([2, 2]);
  expect(start.together[0]!.level).toBeGreaterThan(0);
  expect(start.joins[0]).toMatchObject({ needed: 1 });
  expect(start.joins[0]!.taken).toBeGreaterThanOrEqual(1);
  expect(start.joins[0]!.shares.toSorted((one, other) => one - other)).toEqual([1, 1, 2]);
  expect(kill).toHaveLength(1);
  expect(kill[0]!.every((wait) => wait > 0)).toBe(true);
  expect(kill[0]!.length).toBeGreaterThan(0);
}, 300_000);
