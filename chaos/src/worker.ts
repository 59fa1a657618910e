import { DataUpdaterService } from '@mississippi/core';
import { FileRecorder } from '@mississippi/history';
import { endWithParent, startApp } from './app.js';
import { mutantOf } from './mutants/mutants.js';
import { DRAIN_TIMEOUT, planOf, type Answer, type Command } from './protocol.js';
import { resumeParked } from './store/resume-parked.js';
import { Steps } from './store/steps.js';

endWithParent();
const plan = planOf(process.argv[2]);
const recorder = new FileRecorder(plan.folder, plan.name);
mutantOf('workers')?.plant((mutant) => recorder.record({ type: 'struck', mutant }));

const steps = new Steps(plan.folder, plan.name);
process.on('message', (command: Command) => {
  if (command.type === 'arm') steps.arm(command.point, command.fault);
  else if (command.type === 'disarm') steps.disarm();
});
const app = await startApp(plan, recorder, { drainTimeout: DRAIN_TIMEOUT }, undefined, steps);
if (plan.store !== undefined) resumeParked(app.get(DataUpdaterService), plan.folder);
process.once('SIGTERM', () => {
  recorder.record({ type: 'leaving' });
  void app.close().then(() => process.exit(0));
});
recorder.record({ type: 'up' });
process.send?.({ type: 'up' } satisfies Answer);
