import { SampleProcess } from '../support/sample-process.js';

export type { End } from '../support/sample-process.js';

/** The flights as people start them. */
export class FlightsProcess extends SampleProcess {
  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    super('flights', args, env);
  }
}
