import type { Measurement } from './harness/measurement.js';
import type { Plan } from './plan.js';
import { measureInProcess } from './process/measure.js';

/** A run in a process of its own, so that no contender inherits another's heap or compiled code. */
async function measure(plan: Plan, ready: () => void): Promise<Measurement> {
  switch (plan.case) {
    case 'process':
      return measureInProcess(plan);
    case 'consumer':
      return (await import('./rabbitmq/measure-consumer.js')).measureConsumer(plan, ready);
    case 'publisher':
      return (await import('./rabbitmq/measure-publisher.js')).measurePublisher(plan);
    case 'load':
      return (await import('./rabbitmq/measure-load.js')).publishEvenly(plan);
    case 'store':
      return (await import('./store/measure-store.js')).measureStore(plan, ready);
    case 'stored':
      return (await import('./store/measure-stored.js')).measureStored(plan);
  }
}

process.once('disconnect', () => process.exit(1));
const plan = JSON.parse(process.argv[2]!) as Plan;
const measurement = await measure(plan, () => process.send!('ready'));
process.send!(measurement, () => process.exit(0));
