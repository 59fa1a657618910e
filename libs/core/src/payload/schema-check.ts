import { isThenable } from '../engine/base/thenable.js';
import { describe } from '../errors/describe.js';
import { PayloadInvalidError } from '../errors/index.js';
import type { StandardIssue, StandardResult, StandardSchema } from '../interfaces/standard-schema.interface.js';
import type { PayloadCheck } from './payload-check.js';
import { RefusedPayload } from './refused-payload.js';

/** Checks payloads by a Standard Schema, whose output the handler gets. */
export class SchemaCheck implements PayloadCheck {
  constructor(private readonly schema: StandardSchema) {}

  check(payload: unknown): unknown {
    const result: unknown = this.schema['~standard'].validate(payload);
    return isThenable(result) ? Promise.resolve(result).then(outputOf) : outputOf(result);
  }
}

function outputOf(result: unknown): unknown {
  if (!isResult(result))
    throw new TypeError(`the schema answered ${describe(result)}, which is no result of a Standard Schema`);
  if (result.issues === undefined) return result.value;
  throw new RefusedPayload(new PayloadInvalidError(undefined, result.issues.map(describeIssue)));
}

/** The failures of arktype are a list that has issues. */
function isResult(result: unknown): result is StandardResult<unknown> {
  if (typeof result !== 'object' || result === null) return false;
  const issues: unknown = Reflect.get(result, 'issues');
  return issues === undefined ? 'value' in result : Array.isArray(issues);
}

function describeIssue({ path = [], message }: StandardIssue): string {
  const place = path.map((segment) => step(typeof segment === 'object' ? segment.key : segment)).join('');
  return place === '' ? message : `${place.replace(/^\./, '')}: ${message}`;
}

function step(key: PropertyKey): string {
  return typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
}
