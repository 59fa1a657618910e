import type { SignalMethodDecorator } from '../interfaces/method-decorators.interface.js';
import { addClaim } from '../methods/claims.js';

/**
 * Makes a method of a handler the one for signals of a name; without a name, for whatever no other method claims, as `handleSignal`
 * is. It gets signal, state and context like that, or what its parameters are decorated with, and answers like that.
 * @example
 * \@OnSignal('status')
 * status(_signal: undefined, state: Order): string { return state.status; }
 * @publicApi
 */
export function OnSignal(name?: string): SignalMethodDecorator {
  return (target: object, method: string | symbol) => {
    addClaim(target, { kind: 'signal', name, method, options: {} });
  };
}
