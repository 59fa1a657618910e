/**
 * Makes the work tree a release: `npm run release -- 0.2.0`. The version goes into every package, the lock file follows, and
 * the changelog's unreleased section gets the version and the day. Nothing is committed and nothing is published.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const UNRELEASED = /^## .*unreleased.*$/im;

const [version] = process.argv.slice(2);
if (!/^\d+\.\d+\.\d+(-[0-9a-z.-]+)?$/i.test(version ?? '')) {
  fail('Say which version: `npm run release -- 0.2.0`, or `-- 0.2.0-rc.1` for one that npm tags as next.');
}
const changelog = read('CHANGELOG.md');
if (!UNRELEASED.test(changelog)) fail('CHANGELOG.md has no section "## Unreleased", so there is nothing to release.');

const manifest = JSON.parse(read('package.json'));
write('package.json', `${JSON.stringify({ ...manifest, version }, null, 2)}\n`);
write('CHANGELOG.md', changelog.replace(UNRELEASED, `## ${version} (${new Date().toISOString().slice(0, 10)})`));
run('node', ['tools/manifests.js']);
run('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
console.log(`This is ${version}. Look at it, commit it as "${version}", tag the commit v${version} and push both.`);

function run(command, args) {
  execFileSync(command, args, { cwd: root, stdio: 'inherit' });
}

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

function write(file, text) {
  writeFileSync(join(root, file), text);
}

function fail(reason) {
  console.error(reason);
  process.exit(1);
}
