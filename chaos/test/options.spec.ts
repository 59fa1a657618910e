import { FIGURES } from '../src/figures/names.js';
import { parseOptions, UsageError } from '../src/options.js';

test.each<[string[], readonly string[] | undefined]>([
  [['--shards', '6'], undefined],
  [['--figures'], FIGURES],
  [['--figures', '--shards', '6'], FIGURES],
  [
    ['--figures', 'kill,signal', '--shards', '6'],
    ['kill', 'signal'],
  ],
])('%j measures %j', (args, figures) => {
  expect(parseOptions(args).figures).toEqual(figures);
});

test.each([[['--figures', 'luck']], [['--publishers', '1.5']], [['--publishers', '3', '--keys', '2']]])(
  '%j cannot be followed',
  (args) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
  },
);
