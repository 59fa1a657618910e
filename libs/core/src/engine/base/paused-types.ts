/** Types of messages of which nothing starts in this process, until somebody resumes them. */
export class PausedTypes {
  private types: ReadonlySet<string> = new Set();

  /** Asked before each message, so it must cost nothing where nothing is paused. */
  get size(): number {
    return this.types.size;
  }

  get list(): readonly string[] {
    return [...this.types].sort();
  }

  has(type: string): boolean {
    return this.types.has(type);
  }

  /** Returns whether that changes anything, and whether some of them are paused no more. */
  set(types: readonly string[]): { readonly changed: boolean; readonly resumed: boolean } {
    const before = this.types;
    this.types = new Set(types);
    const resumed = [...before].some((type) => !this.types.has(type));
    return { changed: resumed || this.types.size > before.size, resumed };
  }
}
