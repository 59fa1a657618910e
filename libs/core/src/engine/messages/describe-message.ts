/** A message in a line of the log. `key` is the text of its key. */
export function describeMessage(messageId: string | undefined, key: string, shard: number): string {
  return `message ${messageId ?? '(without an id)'} of the key ${key} (shard ${shard})`;
}

/** How often a message was tried. */
export function describeAttempts(attempts: number): string {
  return `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;
}
