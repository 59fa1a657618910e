/**
 * What is the same in all packages is said once, and written into their package.json from here: `npm run manifests` writes,
 * `npm run manifests:check` compares. The private ones get the version alone.
 *
 * - from the root's package.json: the version, of the packages and of those of ours that they need; where the project lives;
 *   the releases of Node
 * - from {@link NEST}: the peers of Nest
 * - from the package's own `exports`: `main`, `types` and `typesVersions`, for TypeScript's old resolution (`node10`), which
 *   knows no `exports`; a package that is a program only has none of them
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const checking = process.argv.includes('--check');

/** The oldest of each major release is what `npm run test:nest11` and `test:nest12` test. 12.0.0's own peers are of Nest 11. */
const NEST = '^11.0.0 || ^12.0.1';

/** With the sources, for the maps. */
const FILES = ['dist/**/*.js', 'dist/**/*.d.ts', 'dist/**/*.map', 'src/**/*.ts', 'README.md', 'CHANGELOG.md'];

const { version, engines, repository, workspaces } = readJson(join(root, 'package.json'));
const ours = new Set(workspaces.map((workspace) => readJson(join(root, workspace, 'package.json')).name));
const home = repository.url.replace(/^git\+/, '').replace(/\.git$/, '');

/** What Vite makes of a package's folder `client`, for browsers: without sources and maps. */
const PAGE = 'dist/client/*';

/** The manifest with what follows from elsewhere, each field where a reader of npm's docs looks for it. */
function derived(manifest, directory) {
  const published = directory !== '';
  const given = {
    ...manifest,
    version,
    homepage: published ? `${home}/tree/main/${directory}#readme` : `${home}#readme`,
    repository: published ? { ...repository, directory } : repository,
    bugs: { url: `${home}/issues` },
    ...(published ? forPublished(manifest, directory) : {}),
  };
  return Object.fromEntries(order(manifest).flatMap((key) => (given[key] === undefined ? [] : [[key, given[key]]])));
}

function forPublished({ exports, dependencies, peerDependencies }, directory) {
  const subpaths = Object.entries(exports).filter(([, target]) => target.types !== undefined);
  const types = Object.fromEntries(subpaths.map(([subpath, target]) => [subpath.slice(2), [target.types]]));
  const { '': main, ...others } = types;
  return {
    main: exports['.']?.default,
    types: main?.[0],
    typesVersions: Object.keys(others).length === 0 ? undefined : { '*': others },
    files: existsSync(join(root, directory, 'client')) ? [...FILES, PAGE] : FILES,
    engines,
    dependencies: withRanges(isOurs, version, dependencies),
    peerDependencies: withRanges(isNests, NEST, withRanges(isOurs, version, peerDependencies)),
  };
}

function withOurVersion(manifest) {
  const dependencies = withRanges(isOurs, version, manifest.dependencies);
  return { ...manifest, version, ...(dependencies === undefined ? {} : { dependencies }) };
}

function withRanges(isMeant, range, dependencies) {
  if (dependencies === undefined) return undefined;
  const entries = Object.entries(dependencies);
  return Object.fromEntries(entries.map(([name, given]) => [name, isMeant(name) ? range : given]));
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function isOurs(name) {
  return ours.has(name);
}

function isNests(name) {
  return name.startsWith('@nestjs/');
}

/** The keys of a manifest in their order, with the derived ones each behind a neighbour that is always there. */
function order(manifest) {
  const behind = { license: ['homepage', 'repository', 'bugs'], type: ['main', 'types', 'typesVersions'] };
  const moved = new Set(Object.values(behind).flat());
  return Object.keys(manifest)
    .filter((key) => !moved.has(key))
    .flatMap((key) => [key, ...(behind[key] ?? [])]);
}

for (const directory of ['', ...workspaces]) {
  const file = join(root, directory, 'package.json');
  const before = readFileSync(file, 'utf8');
  const manifest = JSON.parse(before);
  const isPrivate = directory !== '' && manifest.private === true;
  const result = isPrivate ? withOurVersion(manifest) : derived(manifest, directory);
  const after = `${JSON.stringify(result, null, 2)}\n`;
  if (after === before) continue;
  if (checking) {
    console.error(`${join(directory, 'package.json')} is not what follows from the root: run \`npm run manifests\`.`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, after);
  }
}
