import type { ChildProcess } from 'node:child_process';

/**
 * Sends a process something, which is lost where the process is gone and that is not seen yet. Without a callback the failure
 * would be an event `error` of the process, by which whoever awaits its end with `once` would be rejected (Node 20).
 */
export function tell(child: ChildProcess | undefined, command: object): void {
  if (child?.connected === true) child.send(command, () => undefined);
}
