import { DeniedError, UnreachableError } from '../errors.js';
import type { Settings } from '../settings/settings.js';

/** How long the broker may take to answer. Milliseconds. */
const PATIENCE = 10_000;

/** What the HTTP API tells of a queue, as far as anybody here reads it. */
export interface ManagedQueue {
  readonly name: string;
  readonly policy?: string | null;
  readonly operator_policy?: string | null;
  readonly effective_policy_definition?: Readonly<Record<string, unknown>> | readonly unknown[] | null;
}

/** The same of a node of the cluster. */
export interface ManagedNode {
  readonly name: string;
  readonly running?: boolean;
  readonly mem_alarm?: boolean;
  readonly disk_free_alarm?: boolean;
}

/** RabbitMQ's management plugin, read only. */
export class Management {
  private readonly base: URL;
  private readonly headers: Record<string, string>;

  constructor(url: string) {
    this.base = new URL(url.endsWith('/') ? url : `${url}/`);
    const { username, password } = this.base;
    this.base.username = '';
    this.base.password = '';
    const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.headers = { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
  }

  queues(virtualHost: string): Promise<ManagedQueue[]> {
    return this.get(`api/queues/${encodeURIComponent(virtualHost)}`);
  }

  nodes(): Promise<ManagedNode[]> {
    return this.get('api/nodes');
  }

  /**
   * @throws {UnreachableError}
   * @throws {DeniedError}
   */
  private async get<T>(path: string): Promise<T> {
    const { base, headers } = this;
    let answer: Response;
    try {
      answer = await fetch(new URL(path, base), { headers, signal: AbortSignal.timeout(PATIENCE) });
    } catch (error) {
      const { cause = error } = error as Error;
      throw new UnreachableError(
        `The management API at ${base.href} cannot be reached (${(cause as Error).message}).`,
        { cause: error },
      );
    }
    if (answer.status === 401 || answer.status === 403) {
      throw new DeniedError(
        `The management API at ${base.href} refuses the user (${answer.status}): it needs the tag 'monitoring', and its password.`,
      );
    }
    if (!answer.ok)
      throw new UnreachableError(`The management API at ${base.href} answers ${path} with ${answer.status}.`);
    return (await answer.json()) as T;
  }
}

/** Prefixes under which the virtual host has queues of ours; none where no management API was named. */
export async function otherPrefixes({ managementUrl }: Settings, virtualHost: string): Promise<string[]> {
  if (managementUrl === undefined) return [];
  const queues = await new Management(managementUrl).queues(virtualHost);
  return queues.filter(({ name }) => name.endsWith('meta')).map(({ name }) => name.slice(0, -'meta'.length));
}
