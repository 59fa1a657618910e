/**
 * The published packages as npm would take them: `npm run pack` builds them afresh and writes a tarball of each into
 * `packages/`, or into the folder that is named. Each has the changelog of all, as they share one version.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** The published packages: a name, a folder and a manifest each. */
export function publishedPackages() {
  return readJson(join(root, 'package.json'))
    .workspaces.map((workspace) => ({ folder: join(root, workspace) }))
    .map(({ folder }) => ({ folder, manifest: readJson(join(folder, 'package.json')) }))
    .filter(({ manifest }) => manifest.private !== true);
}

/**
 * @param destination a folder, which is emptied of earlier tarballs
 * @returns the packages, each with the path of its `tarball` and its `files`
 */
export function packAll(destination) {
  mkdirSync(destination, { recursive: true });
  for (const name of readdirSync(destination)) if (name.endsWith('.tgz')) rmSync(join(destination, name));
  const packages = publishedPackages();
  // Afresh, so that nothing is left of sources that are there no longer.
  for (const { folder } of packages) rmSync(join(folder, 'dist'), { recursive: true, force: true });
  run(join(root, 'node_modules/.bin/tsc'), ['-b', ...packages.map(({ folder }) => folder)]);
  run(join(root, 'node_modules/.bin/vite'), ['build', '-c', 'libs/dashboard/vite.config.js']);
  return packages.map((one) => ({ ...one, ...pack(one.folder, destination) }));
}

function pack(folder, destination) {
  const changelog = join(folder, 'CHANGELOG.md');
  cpSync(join(root, 'CHANGELOG.md'), changelog);
  try {
    const answer = run('npm', ['pack', folder, '--json', '--ignore-scripts', '--pack-destination', destination]);
    // npm 11 answers with a list, npm 12 with an object by names.
    const [{ filename, files, size }] = Object.values(JSON.parse(answer));
    return { tarball: join(destination, filename), files: files.map(({ path }) => path), size };
  } finally {
    rmSync(changelog);
  }
}

function run(command, args) {
  return execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

if (resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const { tarball, files, size } of packAll(resolve(process.argv[2] ?? join(root, 'packages')))) {
    console.log(`${tarball}: ${files.length} files, ${Math.round(size / 1024)} KiB`);
  }
}
