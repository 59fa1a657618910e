import { FileRecorder } from '@mississippi/history';
import { endWithParent, startApp } from './app.js';
import { mutantOf } from './mutants/mutants.js';
import { DRAIN_TIMEOUT, planOf, type Answer } from './protocol.js';

endWithParent();
const plan = planOf(process.argv[2]);
const recorder = new FileRecorder(plan.folder, plan.name);
mutantOf('workers')?.plant((mutant) => recorder.record({ type: 'struck', mutant }));

const app = await startApp(plan, recorder, { drainTimeout: DRAIN_TIMEOUT });
process.once('SIGTERM', () => {
  recorder.record({ type: 'leaving' });
  void app.close().then(() => process.exit(0));
});
recorder.record({ type: 'up' });
process.send?.({ type: 'up' } satisfies Answer);
