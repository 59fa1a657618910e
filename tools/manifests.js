/**
 * Where the project lives is said once, in the root's `repository`: what npm shows of each published package follows
 * from it. `npm run manifests` writes it into their package.json, `npm run manifests:check` compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const checking = process.argv.includes('--check');

const { repository, workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const home = repository.url.replace(/^git\+/, '').replace(/\.git$/, '');

/** The package's manifest with the three fields behind its licence, where a reader of npm's docs looks for them. */
function withLinks({ homepage: _homepage, repository: _repository, bugs: _bugs, ...manifest }, directory) {
  const links = {
    homepage: directory ? `${home}/tree/main/${directory}#readme` : `${home}#readme`,
    repository: directory ? { ...repository, directory } : repository,
    bugs: { url: `${home}/issues` },
  };
  return Object.fromEntries(
    Object.entries(manifest).flatMap((field) => (field[0] === 'license' ? [field, ...Object.entries(links)] : [field])),
  );
}

for (const directory of ['', ...workspaces]) {
  const file = join(root, directory, 'package.json');
  const before = readFileSync(file, 'utf8');
  const manifest = JSON.parse(before);
  if (directory && manifest.private) continue;
  const after = `${JSON.stringify(withLinks(manifest, directory), null, 2)}\n`;
  if (after === before) continue;
  if (checking) {
    console.error(`${join(directory, 'package.json')} names another home than the root: run \`npm run manifests\`.`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, after);
  }
}
