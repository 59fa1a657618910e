import { count, counted } from '../output/amounts.js';
import type { Commands } from './context.js';
import { keyDocument } from './documents.js';
import { group, type AnyCommand } from './group.js';
import { dropAllCommand, resumeCommand } from './key-actions.js';
import { keyTable, remedies, remedyLines } from './key-table.js';
import { checkShard } from './number-option.js';
import { withLimit, withShard } from './options.js';

/** More keys than a process has. */
const ALL = Number.MAX_SAFE_INTEGER;

export function parkedCommand(commands: Commands): AnyCommand {
  return group('parked', 'keys that are parked: list, resume, drop', [
    listCommand(commands),
    resumeCommand(commands),
    dropAllCommand(commands, 'drop <key>'),
  ]);
}

function listCommand(commands: Commands): AnyCommand {
  return commands.command<{ limit: number; shard: number | undefined }>(
    ['list', '$0'],
    'the keys that have messages in a side queue, those with the most first',
    (argv) => withShard(withLimit(argv, 100)),
    async ({ limit, shard }, { withSession, printer, hints }) =>
      withSession(async ({ operator, queues }) => {
        checkShard(shard, queues.totalCount);
        const { keys: all, unanswered } = await operator.keys({
          limit: ALL,
          ...(shard === undefined ? {} : { shard }),
        });
        const parked = all
          .filter((key) => key.parked > 0 || key.parkedState !== undefined)
          .sort((a, b) => b.parked - a.parked);
        const keys = parked.slice(0, limit);
        const more = parked.length - keys.length;
        printer.answer({ keys: keys.map(keyDocument), more, unanswered }, () => [
          ...(keys.length === 0 ? ['No key is parked.'] : keyTable(printer, keys)),
          ...(more === 0 ? [] : [`… and ${count(more)} more (--limit)`]),
          ...(unanswered.length === 0 ? [] : [`${counted(unanswered.length, 'shard')} did not answer.`]),
          ...(keys[0] === undefined
            ? []
            : ['', printer.title('What to type next'), ...remedyLines(remedies(keys[0], hints), printer)]),
        ]);
      }),
  );
}
