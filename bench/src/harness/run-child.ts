import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Plan } from '../plan.js';
import type { Measurement } from './measurement.js';

/** How long one run may take. Milliseconds. */
const PATIENCE = 300_000;

const SCRIPT = fileURLToPath(new URL('../child.js', import.meta.url));

/**
 * Measures in a process of its own.
 * @param ready called when the child says that what it measures is up
 */
export async function runChild(plan: Plan, ready: () => void = () => undefined): Promise<Measurement> {
  const child = fork(SCRIPT, [JSON.stringify(plan)], {
    execArgv: ['--expose-gc', '--max-old-space-size=12288', '--enable-source-maps'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  try {
    return await new Promise<Measurement>((resolve, reject) => {
      child.on('message', (message) => {
        if (message === 'ready') ready();
        else child.once('exit', () => resolve(message as Measurement));
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        if (code !== 0) reject(new Error(`A run ended without a figure (${signal ?? code}): ${JSON.stringify(plan)}`));
      });
    });
  } finally {
    clearTimeout(timer);
  }
}
