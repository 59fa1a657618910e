import { measureInProcess, type ProcessPlan } from './process/measure.js';

/** A run in a process of its own, so that no contender inherits another's heap or compiled code. */
process.once('disconnect', () => process.exit(1));
const { plan } = JSON.parse(process.argv[2]!) as { case: 'process'; plan: ProcessPlan };
const measurement = await measureInProcess(plan);
process.send!(measurement, () => process.exit(0));
