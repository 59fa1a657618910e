import { inspect } from 'node:util';
import type { MethodBinder } from '../enhancers/method-binder.js';
import { DuplicateMethodError, InvalidHandlerError } from '../errors/index.js';
import type { DataUpdaterHandler } from '../interfaces/data-updater-handler.interface.js';
import type { FailurePolicyOptions, ResolvedFailurePolicy } from '../mississippi.options.js';
import { OnMessageOptions } from '../options/on-message.options.js';
import { validateOptions } from '../options/validate-options.js';
import { isShortText } from '../outgoing/short-text.js';
import { CALLBACKS } from './callbacks.js';
import { claimsOf, written, type Claim } from './claims.js';
import type { CalledMethod, HandlerMethods, MessageMethod, MethodTable } from './handler-methods.js';

/** What the methods are collected from. */
export interface MethodSources {
  readonly instance: string;
  /** The handler as the engine calls it. */
  readonly handler: DataUpdaterHandler;
  /** Of the handler, and of its parts. */
  readonly binders: readonly [MethodBinder, ...MethodBinder[]];
  /** Fills in what a method leaves out. */
  readonly policyOf: (own: FailurePolicyOptions) => ResolvedFailurePolicy;
}

/**
 * Who handles what, of a handler and its parts.
 * @throws {DuplicateMethodError} where two methods say that they handle the same
 * @throws {InvalidHandlerError} where nobody handles messages, or a decorator cannot be applied
 * @throws {InvalidOptionsError}
 */
export function collectMethods(sources: MethodSources): HandlerMethods {
  const { handler, binders, policyOf } = sources;
  const message = (bound: Bound): MessageMethod => {
    const { payload, failurePolicy } = bound.claim.options;
    return {
      call: bound.call,
      payload,
      failurePolicy: failurePolicy === undefined ? undefined : policyOf(failurePolicy),
    };
  };
  const bound = binders.flatMap(boundOf);
  for (const part of binders.slice(1))
    if (claimsIn(part).length === 0) throw InvalidHandlerError.emptyPart(part.source.className);
  const messages = tableOf(sources, bound, 'message', message);
  const signals = tableOf(sources, bound, 'signal', ({ call }) => call);
  if (messages === undefined && (handler.handleMessage as unknown) === undefined) {
    throw new InvalidHandlerError(
      binders[0].source.className,
      'has no method for messages: add handleMessage (DataUpdaterHandler has its form) or methods with @OnMessage(type)',
    );
  }
  return { messages, signals };
}

/** A method that handles something. */
interface Bound {
  readonly claim: Claim;
  /** For errors. */
  readonly label: string;
  readonly call: CalledMethod;
}

/** What the decorated class says, whatever a test has put in the place of its instance. */
function claimsIn({ handler, source }: MethodBinder): Claim[] {
  return claimsOf((source.type?.prototype ?? handler) as object);
}

function boundOf(binder: MethodBinder): Bound[] {
  const { className } = binder.source;
  return claimsIn(binder).flatMap((claim) => {
    const label = `${className}.${claim.method}`;
    checkClaim(claim, label, className);
    const call = binder.bind(claim.method, claim.prototype);
    // What a test has put in the handler's place may have fewer methods.
    return call === undefined ? [] : [{ claim, label, call }];
  });
}

function tableOf<Method>(
  { instance, handler, binders }: MethodSources,
  all: readonly Bound[],
  kind: Claim['kind'],
  methodOf: (bound: Bound) => Method,
): MethodTable<Method> | undefined {
  const bound = all.filter(({ claim }) => claim.kind === kind);
  if (bound.length === 0) return undefined;
  const callback = kind === 'message' ? 'handleMessage' : 'handleSignal';
  if ((handler[callback] as unknown) !== undefined) {
    const claim: Claim = { kind, name: undefined, method: callback, options: {} };
    const own = handler as unknown as Record<string, CalledMethod>;
    const call: CalledMethod = (payload, state, context) => own[callback]!(payload, state, context);
    bound.push({ claim, label: `${binders[0].source.className}.${callback}`, call });
  }
  const found = new Map<string | undefined, Bound>();
  for (const one of bound) {
    const { name } = one.claim;
    const other = found.get(name);
    if (other !== undefined) throw new DuplicateMethodError(instance, written(one.claim), other.label, one.label);
    found.set(name, one);
  }
  const other = found.get(undefined);
  const named = [...found].filter((entry): entry is [string, Bound] => entry[0] !== undefined);
  return {
    byName: new Map(named.map(([name, one]) => [name, methodOf(one)])),
    other: other && methodOf(other),
  };
}

function checkClaim({ kind, name, method, options }: Claim, label: string, className: string): void {
  const decorator = kind === 'message' ? 'OnMessage' : 'OnSignal';
  const own = kind === 'message' ? 'handleMessage' : 'handleSignal';
  if (method !== own && (CALLBACKS as readonly string[]).includes(method)) {
    throw new InvalidHandlerError(
      className,
      `${label} has @${decorator}, though ${method} is called for something else: give the method another name`,
    );
  }
  if (name !== undefined && (typeof name !== 'string' || name === '' || !isShortText(name))) {
    throw new InvalidHandlerError(
      className,
      `the decorator of ${label} names ${inspect(name)}: give @${decorator} a text of 1 to 255 bytes, or nothing`,
    );
  }
  if (kind === 'message') validateOptions(`${written({ kind, name })} of ${label}`, OnMessageOptions, options);
}
