export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** An error in one line, without its stack: what the person at the terminal can use. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
