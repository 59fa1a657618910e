import type { Received } from './receiver.js';

/** Timers count whole milliseconds, and may end within the last one. */
const GRAIN = 2;

/** What is wrong with what the receivers saw; nothing where it is right. */
export function faultsOf(log: readonly Received[], sent: ReadonlyMap<string, readonly string[]>): string[] {
  return [...sent].flatMap(([tenant, ids]) => {
    const requests = log.filter((request) => request.tenant === tenant);
    const taken = requests.filter(isTaken).map(({ id }) => id);
    const order =
      taken.join() === ids.join() ? [] : [`${tenant} took ${taken.join(', ')} instead of ${ids.join(', ')}`];
    return [...order, ...hasty(tenant, requests)];
  });
}

export function isTaken({ answer }: Received): boolean {
  return answer.status === 200;
}

/** Requests that came before the receiver wanted to be asked again. */
function hasty(tenant: string, requests: readonly Received[]): string[] {
  return requests.slice(1).flatMap((request, index) => {
    const { answer, at } = requests[index]!;
    const seconds = 'retryAfterSeconds' in answer ? (answer.retryAfterSeconds ?? 0) : 0;
    const waited = request.at - at;
    if (waited >= seconds * 1_000 - GRAIN) return [];
    return [`${tenant} was asked again after ${Math.round(waited)} ms, and had said ${seconds} s`];
  });
}
