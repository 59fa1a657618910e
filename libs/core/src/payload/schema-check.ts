import { PayloadInvalidError } from '../errors/index.js';
import type { StandardIssue, StandardResult, StandardSchema } from '../interfaces/standard-schema.interface.js';
import type { PayloadCheck } from './payload-check.js';
import { RefusedPayload } from './refused-payload.js';

/** Checks payloads by a Standard Schema, whose output the handler gets. */
export class SchemaCheck implements PayloadCheck {
  constructor(private readonly schema: StandardSchema) {}

  check(payload: unknown): unknown {
    const result = this.schema['~standard'].validate(payload);
    return 'then' in result ? result.then(outputOf) : outputOf(result);
  }
}

function outputOf(result: StandardResult<unknown>): unknown {
  if (result.issues === undefined) return result.value;
  throw new RefusedPayload(new PayloadInvalidError(undefined, result.issues.map(describeIssue)));
}

function describeIssue({ path = [], message }: StandardIssue): string {
  const place = path.map((segment) => step(typeof segment === 'object' ? segment.key : segment)).join('');
  return place === '' ? message : `${place.replace(/^\./, '')}: ${message}`;
}

function step(key: PropertyKey): string {
  return typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
}
