import { InvalidHandlerError } from '../errors/index.js';
import type { OnMessageOptions } from '../options/on-message.options.js';

/** What a method of a handler says that it handles. */
export interface Claim {
  readonly kind: 'message' | 'signal';
  /** The message's type or the signal's name; `undefined` for whatever nobody else claims. */
  readonly name: string | undefined;
  readonly method: string;
  /** Of messages; unchecked. */
  readonly options: OnMessageOptions;
  /** The prototype that has the decorated method, where a subclass may have overridden it. */
  readonly prototype?: object;
}

const claims = new WeakMap<object, Claim[]>();

/**
 * Notes what a method handles, on the prototype that has it.
 * @throws {InvalidHandlerError} for a method that could not be found by its name in the handler
 */
export function addClaim(target: object, claim: Omit<Claim, 'method'> & { readonly method: string | symbol }): void {
  const { method } = claim;
  const isStatic = typeof target === 'function';
  if (isStatic || typeof method === 'symbol') {
    const { name } = isStatic ? (target as { name: string }) : target.constructor;
    throw InvalidHandlerError.method(name, String(method), isStatic ? 'static' : 'named by a symbol');
  }
  claims.set(target, [{ ...claim, method, prototype: target }, ...(claims.get(target) ?? [])]);
}

/** What the methods of a class handle, inherited ones too; a subclass that decorates a method anew has the last word on it. */
export function claimsOf(prototype: object | null | undefined): Claim[] {
  const found: Claim[] = [];
  for (let at: object | null = prototype ?? null; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const own = claims.get(at) ?? [];
    const known = new Set(found.map(({ method }) => method));
    found.push(...own.filter(({ method }) => !known.has(method)));
  }
  return found;
}

/** A claim as it is written. */
export function written({ kind, name }: Pick<Claim, 'kind' | 'name'>): string {
  return `@${kind === 'message' ? 'OnMessage' : 'OnSignal'}(${name === undefined ? '' : `'${name}'`})`;
}
