/**
 * Where the library itself lies, as stacks name it. Not as `import.meta.url` names it: that is another place under source maps, the
 * app's own in a bundle, and nothing in modules that a test runner turns into CommonJS.
 */
const OWN_FOLDER = ownFolder(new Error().stack);

/** Whether a line of a stack is the library's. In a bundle none can be told from the app's. */
export function isOwnFrame(line: string): boolean {
  return OWN_FOLDER !== undefined && line.includes(OWN_FOLDER);
}

/** @param stack of an error that this very file has made */
export function ownFolder(stack: unknown): string | undefined {
  if (typeof stack !== 'string') return undefined;
  return /^ *at (?:.*\()?(.+[\\/])engine[\\/]base[\\/]own-frames\.[jt]s:/m.exec(stack)?.[1];
}
