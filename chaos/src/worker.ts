import { endWithParent, startApp } from './app.js';
import { mutantNamed } from './mutants.js';
import { MUTANT_VARIABLE, planOf, type Answer } from './protocol.js';
import { Recorder } from './recorder.js';

endWithParent();
const plan = planOf(process.argv[2]);
const recorder = new Recorder(plan.folder, plan.name);
const mutant = process.env[MUTANT_VARIABLE];
if (mutant !== undefined) mutantNamed(mutant).plant();

const app = await startApp(plan, recorder, { drainTimeout: 5_000 });
process.once('SIGTERM', () => {
  recorder.record({ type: 'leaving' });
  void app.close().then(() => process.exit(0));
});
recorder.record({ type: 'up' });
process.send?.({ type: 'up' } satisfies Answer);
