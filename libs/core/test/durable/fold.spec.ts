import { faultsOf, foldPlan } from './fold-faults.js';
import { FoldRun } from './fold-run.js';

/** More runs, or others, look at other mishaps; what the event loop makes of them differs from run to run. */
const RUNS = Number(process.env['MISSISSIPPI_FOLD_RUNS'] ?? 4);
const SEED = Number(process.env['MISSISSIPPI_FOLD_SEED'] ?? 1);

describe.each([
  ['over a broker that outlives the processes', RUNS, {}],
  ['embedded, one process after the other', Math.ceil(RUNS / 3), { embedded: true, messages: 150 }],
])('%s', (_name, runs, own) => {
  test.each(Array.from({ length: runs }, (_, n) => SEED + n))(
    'each message has its effect once, in order (seed %i)',
    async (seed) => {
      const plan = foldPlan(seed, own);
      const result = await new FoldRun(plan).execute();
      const { planted } = result;
      expect({ faults: faultsOf(result, plan), planted }).toEqual({ faults: [], planted });
    },
  );
});
