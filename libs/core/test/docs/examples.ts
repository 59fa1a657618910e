import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const GIVEN = fileURLToPath(new URL('given.ts', import.meta.url));

/** Names that examples use without importing them, as Nest's own documents do, and Jest's globals. */
const NEST = {
  '@nestjs/common': ['Body', 'Controller', 'Get', 'Injectable', 'Module', 'Param', 'Post', 'UseFilters'],
  '@nestjs/core': ['NestFactory'],
  '@nestjs/testing': ['Test'],
  '@jest/globals': ['afterEach', 'beforeEach', 'expect', 'jest', 'test'],
  '@nestjs/terminus': ['HealthCheck', 'HealthCheckService', 'TerminusModule'],
};

/** A block of TypeScript in a document. */
interface Example {
  readonly document: string;
  /** The line on which its code begins, from 1. */
  readonly line: number;
  readonly code: string;
}

/** The blocks of TypeScript in a Markdown document. */
export function examplesIn(document: string, text: string): Example[] {
  return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map((found) => ({
    document,
    line: text.slice(0, found.index).split('\n').length + 1,
    code: found[1]!,
  }));
}

/**
 * Compiles examples, strictly, against the sources.
 * @returns the errors, each with the line of its document
 */
export async function compile(examples: readonly Example[]): Promise<string[]> {
  mkdirSync(join(ROOT, 'libs/core/dist'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, 'libs/core/dist/examples-'));
  try {
    const known = knownNames();
    for (const example of examples) writeFileSync(join(folder, fileOf(example)), sourceOf(example, examples, known));
    const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false, types: ['node'] };
    const config = { extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: [folder] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), '--pretty', 'false', '-p', folder];
    const output = await promisify(execFile)(process.execPath, tsc, { cwd: folder }).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    return output
      .split('\n')
      .filter((line) => line.includes('error TS'))
      .map((line) =>
        line.replace(
          /^.*?([^/]*)\.\d+\.ts\((\d+),\d+\)/,
          (_, document, at) => `${String(document).replaceAll('~', '/')}:${at}`,
        ),
      );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function fileOf({ document, line }: Example): string {
  return `${document.replaceAll('/', '~')}.${line}.ts`;
}

/** The code on its own lines, so that errors tell the line of the document, behind imports of what it does not import itself. */
function sourceOf(example: Example, all: readonly Example[], known: ReadonlyMap<string, string>): string {
  const { document, line, code } = example;
  const names = new Map(known);
  for (const other of all) {
    if (other.document !== document || other === example) continue;
    for (const name of declared(other.code, 'export ')) names.set(name, `./${fileOf(other).replace(/ts$/, 'js')}`);
  }
  const own = new Set([...declared(code, ''), ...imported(code)]);
  const imports = [...names]
    .filter(([name]) => !own.has(name) && new RegExp(`\\b${name}\\b`).test(code))
    .map(([name, module]) => `import { ${name} } from '${module}';`);
  return `${imports.join(' ')} export {};${'\n'.repeat(line - 1)}${code}`;
}

function declared(code: string, before: string): string[] {
  const pattern = new RegExp(
    `^${before}(?:export )?(?:declare )?(?:abstract )?(?:class|interface|const|let|function|type) (\\w+)`,
    'gm',
  );
  return [...code.matchAll(pattern)].map((found) => found[1]!);
}

function imported(code: string): string[] {
  return [...code.matchAll(/^import (?:type )?\{([^}]*)\}/gms)].flatMap((found) =>
    found[1]!.split(',').map((name) => name.trim().replace(/^type /, '')),
  );
}

/** What may be used without an import, each with its module: all that the packages export, something of Nest, what is given. */
function knownNames(): Map<string, string> {
  const names = new Map<string, string>();
  for (const name of declared(readFileSync(GIVEN, 'utf8'), 'export '))
    names.set(name, relative('/', GIVEN).replace(/^/, '/').replace(/ts$/, 'js'));
  for (const [module, list] of Object.entries(NEST)) for (const name of list) names.set(name, module);
  for (const library of ['terms', 'testing', 'terminus', 'rabbitmq', 'core']) {
    const folder = join(ROOT, 'libs', library, 'api');
    const report = readdirSync(folder).find((file) => file === `${library}.api.md`)!;
    for (const name of declared(readFileSync(join(folder, report), 'utf8'), 'export '))
      names.set(name, `@mississippi/${library}`);
  }
  return names;
}
