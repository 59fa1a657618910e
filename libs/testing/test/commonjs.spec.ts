import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBS = new URL('../../', import.meta.url).pathname;

/** It is a program, which nothing loads. */
const PROGRAM = 'cli';

// ts-jest and Babel leave `import.meta` as it is when they turn a module into CommonJS, and Jest cannot load that.
test('a test runner can turn every module of the libraries into CommonJS', () => {
  const libs = readdirSync(LIBS).filter((lib) => lib !== PROGRAM);
  const modules = libs.flatMap((lib) =>
    readdirSync(join(LIBS, lib, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(LIBS, lib, 'src', file)),
  );
  expect(modules.length).toBeGreaterThan(100);
  const code = (file: string): string => readFileSync(file, 'utf8').replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '');
  expect(modules.filter((file) => /import\.meta|^await /m.test(code(file)))).toEqual([]);
});
