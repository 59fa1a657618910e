/**
 * The suites on the oldest Nest that the packages take. `npm run test:nest11` and `npm run test:nest12` install that
 * release in a folder of the system's for temporary files, with a copy of the sources, build the packages there (which
 * checks their types against it), and run:
 *
 * - the unit tests of core, rabbitmq, postgres, terminus, opentelemetry, dashboard and testing, without those that search: properties and mutants
 * - the RabbitMQ transport's conformance, on quorum queues
 *
 * The oldest release is that in the peers of `@mississippi/core`, whose other peers are the oldest too: what is promised is
 * what is tested. Another is given by its number: `node tools/test-nest.js 12.1.0`. What follows goes to Jest.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const PEERS = readJson(join(root, 'libs/core/package.json')).peerDependencies;
const [wanted, ...jestArguments] = process.argv.slice(2);
const release = /^\d+$/.test(wanted ?? '') ? floorOf(wanted) : wanted;
if (release === undefined) fail('Say which Nest: `node tools/test-nest.js 11`, or a release such as 12.1.0.');

/** Not inside the root, whose Nest would be found for whatever this one has not. Stays where a test has failed. */
const scratch = realpathSync(mkdtempSync(join(tmpdir(), `mississippi-nest-${release}-`)));
const PACKAGES = ['terms', 'core', 'rabbitmq', 'postgres', 'testing', 'terminus', 'opentelemetry', 'dashboard'];
const COPIED = [...PACKAGES.map((name) => `libs/${name}`), 'history', 'apps/servers', 'test/support', 'test/rabbitmq'];
const CONFIGURATION = ['jest.config.js', 'tsconfig.base.json'];

/** What loads Nest. All else, but for the other peers of the core, is the same as in the usual tests. */
const COMPANIONS = ['testing', 'microservices', 'platform-express', 'terminus'];

/** What knows no Nest, searches for counterexamples, which take minutes, and the compiler's view of the documents. */
const LEFT_OUT = [
  '/libs/terms/',
  '/history/',
  '/property/',
  '/simulation/',
  'mutants',
  '/durable/fold',
  'pglite-conformance',
  '/core/test/(docs|types)/',
  '/opentelemetry/test/dashboard\\.spec',
];
const RABBITMQ = 'test/rabbitmq/conformance-quorum\\.spec';

layOut();
install();
run('tsc', ['-b', 'tsconfig.json']);
run('vite', ['build', '-c', 'libs/dashboard/vite.config.js']);
run('jest', ['--selectProjects', 'unit', '--testPathIgnorePatterns', ...LEFT_OUT, ...jestArguments]);
if (jestArguments.length === 0) run('jest', ['--selectProjects', 'rabbitmq', '--testPathPatterns', RABBITMQ]);
rmSync(scratch, { recursive: true });

function floorOf(major) {
  const part = PEERS['@nestjs/core'].split('||').find((range) => range.trim().startsWith(`^${major}.`));
  return part && lowest(part);
}

function lowest(range) {
  return range.split('||')[0].trim().replace(/^\^/, '');
}

function layOut() {
  for (const path of COPIED) {
    const isSource = (file) => !['node_modules', 'dist'].includes(basename(file));
    cpSync(join(root, path), join(scratch, path), { recursive: true, filter: isSource });
  }
  for (const file of CONFIGURATION) cpSync(join(root, file), join(scratch, file));
  // Jest wants all folders that its configuration names.
  for (const folder of ['chaos', 'bench', 'test/postgres', 'test/file-transport']) mkdirSync(join(scratch, folder));
  const references = COPIED.filter((path) => !path.startsWith('test/')).map((path) => ({ path }));
  writeJson(join(scratch, 'tsconfig.json'), { files: [], references });
}

/** From npm's cache where it has them. */
function install() {
  const { imports } = readJson(join(root, 'package.json'));
  const [major] = release.split('.');
  writeJson(join(scratch, 'package.json'), {
    private: true,
    type: 'module',
    imports,
    dependencies: {
      ...Object.fromEntries(Object.entries(PEERS).map(([name, range]) => [name, lowest(range)])),
      '@nestjs/common': release,
      '@nestjs/core': release,
      // They are not released as often: the newest that is not newer.
      ...Object.fromEntries(COMPANIONS.map((name) => [`@nestjs/${name}`, `>=${major}.0.0 <=${release}`])),
      // The first ones of Nest 11 say that they are for 10, which npm refuses: the newest that has the same minor number.
      '@nestjs/platform-fastify': `~${release.replace(/\d+$/, '0')}`,
    },
  });
  spawn('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']);
  const scope = join(scratch, 'node_modules/@mississippi');
  mkdirSync(scope);
  for (const path of COPIED.filter((name) => !name.startsWith('test/'))) {
    symlinkSync(join(scratch, path), join(scope, basename(path)));
  }
  borrow('node_modules');
}

/** What does not load Nest is the same as in the usual tests: the root's. */
function borrow(folder) {
  mkdirSync(join(scratch, folder), { recursive: true });
  const own = new Set(readdirSync(join(scratch, folder)));
  for (const name of readdirSync(join(root, folder))) {
    if (name.startsWith('@') && name !== '@nestjs' && name !== '@mississippi') borrow(join(folder, name));
    else if (name === '.bin') borrow(join(folder, name));
    else if (!own.has(name) && !name.startsWith('@'))
      symlinkSync(join(root, folder, name), join(scratch, folder, name));
  }
}

function run(tool, args) {
  spawn(join(root, 'node_modules/.bin', tool), args, {
    NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning --expose-gc',
  });
}

function spawn(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: scratch,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  if (error !== undefined) throw error;
  if (status !== 0) fail(`Nest ${release}: ${basename(command)} failed, in ${scratch}.`);
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function writeJson(file, value) {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

function fail(reason) {
  console.error(reason);
  process.exit(1);
}
