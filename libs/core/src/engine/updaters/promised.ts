import { isObservable, lastValueFrom } from 'rxjs';
import { isThenable } from '../base/thenable.js';

/** A native promise of what comes later, or the value itself. */
export function promised(result: unknown): unknown {
  // A foreign thenable may throw or answer twice; a native promise is taken as it is.
  if (isThenable(result)) return Promise.resolve(result);
  // As in Nest, the last value is the result.
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}
