/** How many shards one line names. */
const MOST_NAMED = 10;

/** The first few of many. */
export function listOf(shards: readonly number[]): string {
  const first = shards.slice(0, MOST_NAMED).join(', ');
  return shards.length > MOST_NAMED ? `${first} and ${shards.length - MOST_NAMED} more` : first;
}
