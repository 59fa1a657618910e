import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How long one run may take. Milliseconds. */
const PATIENCE = 300_000;

/** Runs a script in a process of its own and resolves with what it sends. */
export async function runChild<Answer>(script: string, plan: unknown, patience = PATIENCE): Promise<Answer> {
  const file = fileURLToPath(new URL(`../${script}.js`, import.meta.url));
  const child = fork(file, [JSON.stringify(plan)], {
    execArgv: ['--expose-gc', '--max-old-space-size=12288', '--enable-source-maps'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), patience);
  try {
    return await new Promise<Answer>((resolve, reject) => {
      child.once('message', (answer) => resolve(answer as Answer));
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        reject(new Error(`A run ended without a figure (${signal ?? code}): ${JSON.stringify(plan)}`));
      });
    });
  } finally {
    clearTimeout(timer);
  }
}
