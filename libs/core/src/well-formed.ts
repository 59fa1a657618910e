/** Node 20 has it; the library that TypeScript knows for ES2023 leaves it out. */
interface Text {
  isWellFormed(): boolean;
}

/** Whether a text has a form in UTF-8: it holds no half of a surrogate pair. */
export function isWellFormed(text: string): boolean {
  return (text as unknown as Text).isWellFormed();
}
