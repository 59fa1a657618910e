import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, examplesIn, ROOT } from './examples.js';

const read = (document: string): string => readFileSync(join(ROOT, document), 'utf8');

// Not the CONFORMANCE.md of testing: its examples are parts of a transport that the reader writes.
const LIBRARIES = ['core', 'dashboard', 'opentelemetry', 'postgres', 'rabbitmq', 'terminus', 'terms', 'testing'];
const DOCUMENTS = [
  'README.md',
  'docs/guide.md',
  'docs/telemetry.md',
  ...LIBRARIES.map((library) => `libs/${library}/README.md`),
];

test('every example in the documents compiles', async () => {
  const examples = DOCUMENTS.flatMap((document) => examplesIn(document, read(document)));
  expect(examples.length).toBeGreaterThan(10);
  expect(await compile(examples)).toEqual([]);
}, 120_000);

test('an example that does not compile is told with its line', async () => {
  const document = [
    '# A document',
    '```ts',
    "export const key: string = 'k';",
    '```',
    'and one that uses it:',
    '```ts',
    '@MessageHandler()',
    'class Wrong implements DataUpdaterHandler<number> {',
    '  handleMessage(): string {',
    '    return key;',
    '  }',
    '}',
    'const none: number = key;',
    '```',
    '',
  ].join('\n');
  const errors = await compile(examplesIn('docs/wrong.md', document));
  expect(errors).toEqual([
    expect.stringMatching(/^docs\/wrong\.md:9: error TS2416: /),
    expect.stringMatching(/^docs\/wrong\.md:13: error TS2322: /),
  ]);
}, 120_000);

test('the filter in the guide is the one that is tested', () => {
  expect(read('docs/guide.md')).toContain(`\`\`\`ts\n${read('libs/core/test/docs/callers-fault.filter.ts')}\`\`\``);
});
