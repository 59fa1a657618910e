import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tell } from '../src/tell.js';

test('a process that is gone, unseen as yet, is told in vain, and whoever awaits its end sees it', async () => {
  const child = spawn(process.execPath, ['-e', 'process.on("message", () => 0); process.send("up")'], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  await once(child, 'message');
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  // Until it is dead for the system; this process sees nothing of it meanwhile.
  spawnSync('sh', ['-c', 'until ps -o stat= -p "$0" | grep -q Z; do :; done', String(child.pid)]);
  tell(child, { type: 'finish' });
  expect(await ended).toEqual([null, 'SIGKILL']);
});
