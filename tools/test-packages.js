/**
 * What a user installs: `npm run test:packages` packs every published package and looks at the tarballs.
 *
 * - Each holds its build, the sources that its maps name, README, LICENSE and CHANGELOG, and nothing else.
 * - publint and are-the-types-wrong find nothing, for any entry.
 * - In an empty folder with Nest 11 and in one with Nest 12, npm installs them without a conflict and no package of Nest's or
 *   ours twice. `package-app/app.ts` is compiled there as an ES module and as CommonJS, with the module resolutions
 *   `nodenext`, `bundler` and `node10`, declarations included, and each result runs, on the embedded transport. Every entry
 *   of every package is loaded by `import` and by `require`, which no module with an `await` at its top would let pass. With Nest 11,
 *   whose apps are CommonJS, Jest loads every entry as well, by the configuration that the testing kit's README gives.
 *
 * Nest 11 is the release that `bench-golevelup` has, Nest 12 the root's.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { packAll } from './pack.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'mississippi-packages-')));

/** TypeScript 7, and one that has `node10` still: are-the-types-wrong brings it. */
const TSC = join(root, 'node_modules/.bin/tsc');
const fromTypesWrong = createRequire(createRequire(import.meta.url).resolve('@arethetypeswrong/core'));
const OLD_TSC = join(dirname(fromTypesWrong.resolve('typescript')), 'tsc.js');

const EXPECTED = 'balance 42, up, payload_invalid, number, number';

/** As a user's tsconfig.json says it, with the folder's `type`. */
const COMBINATIONS = [
  { type: 'module', module: 'nodenext', moduleResolution: 'nodenext' },
  { type: 'commonjs', module: 'nodenext', moduleResolution: 'nodenext' },
  { type: 'module', module: 'esnext', moduleResolution: 'bundler' },
  { type: 'commonjs', module: 'commonjs', moduleResolution: 'node10', old: true },
];

const problems = [];
const packages = packAll(join(scratch, 'tarballs'));
for (const one of packages) {
  checkFiles(one);
  await checkManifest(one);
  checkTypes(one);
}
for (const release of [
  readJson('bench-golevelup/package.json').dependencies['@nestjs/core'],
  installed('@nestjs/core'),
]) {
  checkApps(release);
}
for (const problem of problems) console.error(problem);
if (problems.length === 0) rmSync(scratch, { recursive: true });
else console.error(`The tarballs and the apps are in ${scratch}.`);
console.log(`${packages.length} packages, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** A tarball has what users need, and no tests. */
function checkFiles({ manifest: { name }, folder, files }) {
  const known =
    /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/.+\.(js|d\.ts)(\.map)?|dist\/client\/(index\.html|app\.css|LICENSES\.md)|src\/.+\.ts)$/;
  const strangers = files.filter((file) => !known.test(file) || /\.(spec|test)\./.test(file));
  if (strangers.length > 0) problems.push(`${name}: should not be published: ${strangers.join(', ')}`);
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md']) {
    if (!files.includes(file)) problems.push(`${name}: has no ${file}`);
  }
  const there = new Set(files);
  const isMapped = (path) => path.startsWith('dist/') && !path.startsWith('dist/client/') && !path.endsWith('.map');
  for (const file of files.filter(isMapped)) {
    const map = `${file}.map`;
    const { sources } = there.has(map) ? readJson(join(folder, map)) : { sources: [] };
    const missing = sources.filter((source) => !there.has(posix.join(posix.dirname(file), source)));
    if (sources.length === 0 || missing.length > 0) problems.push(`${name}: ${file} has no map to a published source`);
  }
}

async function checkManifest({ manifest: { name }, tarball }) {
  const bytes = readFileSync(tarball);
  const packed = { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) };
  const { messages, pkg } = await publint({ strict: true, pack: packed });
  for (const message of messages) problems.push(`${name}: publint: ${formatMessage(message, pkg)}`);
}

/** `cjs-resolves-to-esm` is meant: CommonJS loads these packages by `require(esm)`, in every Node that `engines` names. */
function checkTypes({ manifest: { name }, tarball }) {
  const attw = join(root, 'node_modules/.bin/attw');
  const { status, stdout, stderr } = spawnSync(
    attw,
    [tarball, '--ignore-rules', 'cjs-resolves-to-esm', '--no-emoji', '--no-color', '--format', 'ascii'],
    { encoding: 'utf8' },
  );
  if (status !== 0) problems.push(`${name}: are the types wrong?\n${stdout}${stderr}`);
}

function checkApps(release) {
  const [major] = release.split('.');
  const folder = join(scratch, `nest-${release}`);
  mkdirSync(folder);
  const nest = {
    '@nestjs/common': release,
    '@nestjs/core': release,
    '@nestjs/terminus': `^${major}.0.0`,
    '@nestjs/testing': `^${major}.0.0`,
  };
  const others = ['class-transformer', 'class-validator', 'reflect-metadata', 'rxjs', '@types/node'];
  const ours = packages.map(({ manifest: { name }, tarball }) => [name, `file:${tarball}`]);
  write(join(folder, 'package.json'), {
    private: true,
    dependencies: {
      ...nest,
      ...Object.fromEntries(others.map((name) => [name, readJson('package.json').devDependencies[name]])),
      ...Object.fromEntries(ours),
    },
  });
  execFileSync('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: 'inherit',
  });
  checkCopies(folder, release);
  checkEntries(folder, release);
  if (major === '11') checkJest(folder, release);
  for (const combination of COMBINATIONS) checkApp(folder, release, combination);
}

/** A second copy of the core would be another module for Nest, and another class for `instanceof`. */
function checkCopies(folder, release) {
  const { packages: all } = readJson(join(folder, 'package-lock.json'));
  const copies = Object.keys(all).filter((path) => /node_modules\/.*node_modules\/@(mississippi|nestjs)\//.test(path));
  if (copies.length > 0) problems.push(`Nest ${release}: installed twice: ${copies.join(', ')}`);
}

/** Jest requires no ES module before Node 24.9, so it transforms ours, as ts-jest does: each file alone, by TypeScript. */
function checkJest(folder, release) {
  const app = join(folder, 'jest');
  mkdirSync(app);
  write(join(app, 'package.json'), {
    private: true,
    jest: {
      transform: { '^.+\\.js$': '<rootDir>/transform.cjs' },
      transformIgnorePatterns: ['/node_modules/(?!@mississippi/)'],
    },
  });
  const typescript = JSON.stringify(fromTypesWrong.resolve('typescript'));
  const transform = `const { transpileModule } = require(${typescript});
exports.process = (text, fileName) => ({
  code: transpileModule(text, { fileName, compilerOptions: { module: 1, target: 9, esModuleInterop: true } }).outputText,
});`;
  writeFileSync(join(app, 'transform.cjs'), transform);
  const lines = entries()
    .filter((name) => !name.endsWith('.json'))
    .map((name) => `test('${name}', () => void require('${name}'), 60_000);`);
  writeFileSync(join(app, 'entries.test.js'), lines.join('\n'));
  const ran = spawnSync(join(root, 'node_modules/.bin/jest'), ['--rootDir', app], { cwd: app, encoding: 'utf8' });
  if (ran.status !== 0) problems.push(`Nest ${release}, Jest: an entry cannot be loaded\n${ran.stderr}`);
}

function entries() {
  return packages.flatMap(({ manifest: { name, exports } }) =>
    Object.keys(exports).map((subpath) => posix.join(name, subpath)),
  );
}

function checkEntries(folder, release) {
  const [json, code] = [
    entries().filter((name) => name.endsWith('.json')),
    entries().filter((name) => !name.endsWith('.json')),
  ];
  const programs = [
    ['commonjs', [...code, ...json].map((name) => `require('${name}');`)],
    ['module', code.map((name) => `await import('${name}');`)],
  ];
  for (const [type, lines] of programs) {
    const ran = spawnSync(process.execPath, [`--input-type=${type}`, '--eval', lines.join('\n')], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (ran.status !== 0) problems.push(`Nest ${release}, ${type}: an entry cannot be loaded\n${ran.stderr}`);
  }
}

function checkApp(folder, release, { type, old, ...resolution }) {
  const title = `Nest ${release}, ${type}, ${resolution.moduleResolution}`;
  const app = join(folder, `${type}-${resolution.moduleResolution}`);
  mkdirSync(app);
  write(join(app, 'package.json'), { private: true, type });
  write(join(app, 'tsconfig.json'), {
    compilerOptions: {
      ...resolution,
      target: 'es2022',
      lib: ['es2023'],
      types: ['node'],
      strict: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      outDir: 'dist',
      rootDir: '.',
    },
    files: ['app.ts'],
  });
  cpSync(join(root, 'tools/package-app/app.ts'), join(app, 'app.ts'));
  const compiler = old ? [process.execPath, [OLD_TSC, '--pretty', 'false']] : [TSC, ['--pretty', 'false']];
  const compiled = spawnSync(...compiler, { cwd: app, encoding: 'utf8' });
  // Errors in others' declarations are not ours to mend; a user who has them sets skipLibCheck.
  const errors = compiled.stdout.split('\n').filter((line) => /^(app|.*@mississippi\/.*)\.ts\(/.test(line));
  if (errors.length > 0) return problems.push(`${title}: does not compile\n${errors.join('\n')}`);
  if (!existsSync(join(app, 'dist/app.js'))) return problems.push(`${title}: not compiled\n${compiled.stdout}`);
  const ran = spawnSync(process.execPath, ['dist/app.js'], { cwd: app, encoding: 'utf8', timeout: 60_000 });
  if (ran.stdout.trim() !== EXPECTED) return problems.push(`${title}: does not run\n${ran.stdout}${ran.stderr}`);
  return console.log(`${title}: ${EXPECTED}`);
}

function installed(name) {
  return readJson(`node_modules/${name}/package.json`).version;
}

function readJson(path) {
  return JSON.parse(readFileSync(resolve(root, path), 'utf8'));
}

function write(file, value) {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}
