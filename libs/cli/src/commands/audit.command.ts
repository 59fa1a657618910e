import type { AuditEntry } from '@mississippi/core';
import { writeKey, KEY_TYPES, type KeyType } from '../keys/key-argument.js';
import type { Column } from '../output/table.js';
import { storeOfInstance } from '../store/store.js';
import type { Commands } from './context.js';
import { findKey } from './find-key.js';
import type { AnyCommand } from './group.js';
import { withLimit } from './options.js';
import { timeOf } from './time-argument.js';

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: 'ID', value: ({ id }) => id, right: true },
  { title: 'WHEN', value: ({ at }) => at.toISOString().slice(0, 19).replace('T', ' ') },
  { title: 'KEY', value: ({ text }) => text, least: 10 },
  { title: 'WHAT', value: ({ action }) => action },
  { title: 'VERSION', value: ({ versionBefore, versionAfter }) => `${versionBefore} to ${versionAfter}`, spare: 1 },
  { title: 'BY', value: ({ by }) => by, least: 8 },
];

export function auditCommand(commands: Commands): AnyCommand {
  return commands.command<{ key: string | undefined; keyType: KeyType; since: string | undefined; limit: number }>(
    'audit',
    'what operators did to stored states, the newest first',
    (argv) =>
      withLimit(argv, 50)
        .option('key', { type: 'string', describe: 'only of one key' })
        .option('key-type', { choices: KEY_TYPES, default: 'text', describe: 'how the key is written' })
        .option('since', { type: 'string', describe: 'only since: 2h, 3d, or a time (ISO 8601)' }),
    async ({ key, keyType, since, limit }, { settings, withSession, printer, hints }) => {
      const from = since === undefined ? {} : { since: timeOf(since, '--since') };
      const store = await storeOfInstance(await settings());
      await withSession(
        async (session) => {
          const of = key === undefined ? {} : { key: await findKey(session, { key, keyType }) };
          const { entries, more } = await session.operator.audit({ limit, ...of, ...from });
          printer.answer({ entries: entries.map(entryDocument), more }, () =>
            entries.length === 0
              ? ['Nobody did anything to a state.']
              : [
                  ...printer.table(entries, COLUMNS, { below: ({ reason }) => reason, most: 1 }),
                  ...(more ? ['… and more (--limit)'] : []),
                  '',
                  hints.ofKey('state restore', entries[0]!, ` ${entries[0]!.id} --reason WHY`),
                ],
          );
        },
        { store },
      );
    },
  );
}

function entryDocument({ key, previousBytes, ...entry }: AuditEntry): object {
  const { value, type } = writeKey(key);
  const bytes = previousBytes === undefined ? null : Buffer.from(previousBytes).toString('base64');
  return { ...entry, key: value, keyType: type, previousBytes: bytes };
}
