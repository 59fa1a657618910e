import type { ManagedNode, ManagedQueue } from '../management/management.js';
import { error, warning, type Finding } from './finding.js';

type Policy = Readonly<Record<string, unknown>>;
type Kind = 'shard' | 'parked' | 'deadLetters' | 'other';

/** What a policy must not do to a queue of ours, and what comes of it: docs/operations.md, Policies. */
function harmOf(kind: Kind, policy: Policy): [key: string, why: string][] {
  const carries = kind === 'shard' || kind === 'parked';
  const harms: [string, string, boolean][] = [
    ['message-ttl', 'messages vanish when they have waited for so long', kind !== 'other'],
    ['expires', 'the queue is deleted, with what is in it, when nobody consumes it for so long', kind !== 'other'],
    ['max-length', lengthHarm(policy), carries || (kind === 'deadLetters' && policy['overflow'] !== 'drop-head')],
    ['max-length-bytes', lengthHarm(policy), carries],
    ['delivery-limit', 'RabbitMQ destroys messages that were returned so often', kind !== 'other'],
    [
      'consumer-timeout',
      'shorter than the app expects (deliveryTimeout), it takes messages back that are being handled',
      kind === 'shard' && isShort(policy['consumer-timeout']),
    ],
  ];
  return harms.filter(([key, , applies]) => applies && policy[key] !== undefined).map(([key, why]) => [key, why]);
}

/** The app's default for `deliveryTimeout`. Milliseconds. */
const DELIVERY_TIMEOUT = 1_800_000;

function isShort(value: unknown): boolean {
  return typeof value === 'number' && value < DELIVERY_TIMEOUT;
}

function lengthHarm({ overflow }: Policy): string {
  return typeof overflow === 'string' && overflow.startsWith('reject')
    ? 'what does not fit is refused, and its key waits'
    : 'the oldest messages vanish when the queue is full, and the order with them';
}

/** @param queues all of the virtual host */
export function checkPolicies(queues: readonly ManagedQueue[], prefix: string): Finding[] {
  const byPolicy = new Map<string, { readonly why: string; readonly queues: string[] }>();
  for (const queue of queues) {
    const kind = kindOf(queue.name, prefix);
    const { effective_policy_definition: definition, policy, operator_policy: operator } = queue;
    if (kind === undefined || definition === undefined || definition === null || Array.isArray(definition)) continue;
    for (const [key, why] of harmOf(kind, definition as Policy)) {
      const names = [policy, operator].filter((name) => typeof name === 'string' && name !== '').join("', '");
      const what = `the policy '${names}' sets ${key} to ${String((definition as Policy)[key])}`;
      const entry = byPolicy.get(what) ?? { why, queues: [] };
      byPolicy.set(what, entry);
      entry.queues.push(queue.name);
    }
  }
  return [...byPolicy].map(([what, { why, queues: touched }]) =>
    error(
      `${what}, on ${touched.length === 1 ? `'${touched[0]!}'` : `${touched.length} queues of ours`}`,
      why,
      `exempt them: a pattern such as ^(?!${prefix})`,
    ),
  );
}

export function checkNodes(nodes: readonly ManagedNode[]): Finding[] {
  const down = nodes.filter(({ running }) => running === false);
  const alarmed = nodes.filter((node) => node.mem_alarm === true || node.disk_free_alarm === true);
  const named = (some: readonly ManagedNode[]): string => some.map(({ name }) => name).join(', ');
  return [
    ...(down.length === 0
      ? []
      : [
          warning(
            `nodes of the cluster are down: ${named(down)}`,
            'classic queues of theirs wait; quorum queues need a majority',
            'bring them back',
          ),
        ]),
    ...(alarmed.length === 0
      ? []
      : [
          error(
            `nodes have a memory or disk alarm: ${named(alarmed)}`,
            'the broker takes no messages: publishing, dead letters and parking wait',
            'free memory or disk space of the node',
          ),
        ]),
  ];
}

function kindOf(name: string, prefix: string): Kind | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const rest = name.slice(prefix.length);
  if (/^\d+$/.test(rest)) return 'shard';
  if (/^\d+\.parked$/.test(rest)) return 'parked';
  if (rest === 'dead_letters') return 'deadLetters';
  return /^(\d+\.(signals|lock)|coordinator|members|meta|application)$/.test(rest) ? 'other' : undefined;
}
