/** Processes are called `mississippi <application> <host>:<pid>:<id>`: what tells one from another is at the end. */
export function shortName(process: string): string {
  return process.split(' ').at(-1)!;
}
