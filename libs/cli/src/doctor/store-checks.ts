import type { StoreFacts } from '@mississippi/postgres/inspection';
import type { FoundQueues } from '@mississippi/rabbitmq/inspection';
import { error, warning, type Finding } from './finding.js';

export function checkStore(facts: StoreFacts, instance: string, queues: Pick<FoundQueues, 'totalCount'>): Finding[] {
  const { schema, version, oldest, known, instances } = facts;
  if (version === 0) {
    return [
      error(
        `the schema '${schema}' has no tables`,
        'the app has never started with this store, or with another schema',
        'correct the url or --schema; else start the app, which makes them',
      ),
    ];
  }
  const findings: Finding[] = [];
  if (oldest > known) {
    findings.push(
      error(
        `the tables have version ${version}, and this program knows ${known}`,
        'states may be shown wrongly',
        'upgrade @mississippi/postgres beside this program',
      ),
    );
  } else if (version < known) {
    findings.push(
      warning(
        `the tables have version ${version}, and ${known} is current`,
        'the app upgrades them at its next start',
        'give its role the right to, or let a DBA run what postgresDdl gives',
      ),
    );
  }
  const own = instances.find(({ name }) => name === instance);
  if (own === undefined) {
    const others = instances.map(({ name }) => `'${name}'`).join(', ');
    findings.push(
      warning(
        `the store does not know the instance '${instance}'`,
        'the app has never started with it here',
        `correct --instance${others === '' ? '' : `; it knows ${others}`}`,
      ),
    );
  } else if (own.totalCount !== queues.totalCount || own.transport !== 'rabbitmq') {
    findings.push(
      error(
        `the store knows the instance with ${own.totalCount} shards over ${own.transport}, and the broker has ${queues.totalCount}`,
        'the app does not start with this pair',
        'correct the urls, --prefix or --schema: they are not of the same app',
      ),
    );
  }
  return findings;
}
