import { BrokerInspection, type FoundQueues } from '@mississippi/rabbitmq/inspection';
import { Management } from '../management/management.js';
import { discover, PURPOSE } from '../session/discover.js';
import { withoutCredentials } from '../settings/secrets.js';
import type { Settings } from '../settings/settings.js';
import { openStore } from '../store/store.js';
import { checkDeadLetters, checkKeys, checkProcesses, checkShards } from './app-checks.js';
import { checkBroker, checkDifferences, checkOwners, checkQueues, checkRights } from './broker-checks.js';
import { error, type Check, type Finding } from './finding.js';
import { checkNodes, checkPolicies } from './management-checks.js';
import { checkStore } from './store-checks.js';

/** What the doctor is told besides where things are. */
export interface DoctorOptions {
  readonly sideQueueLimit: number;
  /** Told what is looked at next. */
  readonly next: (name: string) => void;
}

/**
 * Looks at everything, and makes nothing. What goes wrong with one look is a finding of that look.
 * @throws what connecting to the broker rejects with, or that there are no queues
 */
export async function examine(settings: Settings, options: DoctorOptions): Promise<Check[]> {
  const inspection = await BrokerInspection.open({ urls: [...settings.urls] }, PURPOSE);
  try {
    const queues = await discover(inspection, settings);
    const checks = new Checks(options.next);
    await checks.look('broker', () => checkBroker(inspection.broker));
    await checks.look('rights', async () => checkRights(await inspection.missingRights(queues)));
    await checks.look('queue arguments', async () => checkDifferences(await inspection.differences(queues)));
    const owned = await app(checks, settings, options, inspection, queues);
    await queuesAndOwners(checks, inspection, queues, owned);
    await store(checks, settings, queues);
    await management(checks, settings, inspection);
    return checks.done;
  } finally {
    await inspection.close();
  }
}

/** Collects what was found. */
class Checks {
  readonly done: Check[] = [];

  constructor(private readonly next: (name: string) => void) {}

  async look(
    name: string,
    check: () => readonly Finding[] | Promise<readonly Finding[]>,
    todo = 'mend what the reason says, and ask again',
  ): Promise<void> {
    this.next(name);
    try {
      this.done.push({ name, findings: await check() });
    } catch (problem) {
      const what = withoutCredentials(problem instanceof Error ? problem.message : String(problem));
      this.done.push({ name, findings: [error(`${name}: this could not be looked at`, what, todo)] });
    }
  }

  skip(name: string, skipped: string): void {
    this.done.push({ name, findings: [], skipped });
  }
}

/** What helps where nobody answers for the processes. */
const FROZEN =
  'a process is frozen, or has just ended: ask again in half a minute; if it stays, restart the one that hangs: nothing is lost';

/** What the app's processes say. Returns the shards that they own; `undefined` where nobody could be asked. */
async function app(
  checks: Checks,
  settings: Settings,
  { sideQueueLimit }: DoctorOptions,
  inspection: BrokerInspection,
  queues: FoundQueues,
): Promise<ReadonlySet<number> | undefined> {
  let owned: Set<number> | undefined;
  await checks.look(
    'processes',
    async () => {
      const { Session } = await import('../session/session.js');
      const session = await Session.open(settings);
      try {
        const { operator } = session;
        const members = await inspection.queue(`${queues.prefix}members`);
        const processes = await operator.processes();
        owned = new Set(processes.flatMap(({ shards }) => shards));
        const shards = await operator.shards({ over: 500 });
        return [
          ...checkProcesses(processes, members?.consumers ?? 0),
          ...checkShards(shards, sideQueueLimit),
          ...checkKeys(await operator.keys({ troubled: true, limit: 1 })),
          ...checkDeadLetters(session.deadLetters ?? 0),
        ];
      } finally {
        await session.close();
      }
    },
    FROZEN,
  );
  return owned;
}

async function queuesAndOwners(
  checks: Checks,
  inspection: BrokerInspection,
  queues: FoundQueues,
  owned: ReadonlySet<number> | undefined,
): Promise<void> {
  await checks.look('queues and owners', async () => {
    const shards = await inspection.shards(queues);
    const deadLetters = await inspection.deadLetters(queues);
    return [...checkQueues(queues, shards, deadLetters !== undefined), ...checkOwners(shards, owned)];
  });
}

async function store(checks: Checks, settings: Settings, queues: FoundQueues): Promise<void> {
  if (settings.storeUrl === undefined) {
    checks.skip('store', 'no store was named (MISSISSIPPI_STORE_URL)');
    return;
  }
  await checks.look('store', async () => {
    const opened = await openStore(settings);
    try {
      return checkStore(await opened.facts(), settings.instance, queues);
    } finally {
      await opened.close();
    }
  });
}

async function management(checks: Checks, settings: Settings, { broker }: BrokerInspection): Promise<void> {
  const { managementUrl, prefix } = settings;
  if (managementUrl === undefined) {
    checks.skip('policies and alarms', 'only the management API tells (MISSISSIPPI_MANAGEMENT_URL)');
    return;
  }
  await checks.look('policies and alarms', async () => {
    const api = new Management(managementUrl);
    return [...checkPolicies(await api.queues(broker.virtualHost), prefix), ...checkNodes(await api.nodes())];
  });
}
