import { InvalidHandlerError } from '../errors/index.js';
import type { MessageContext } from '../interfaces/callback-context.interface.js';
import { ParameterType } from '../methods/parameter-metadata.js';
import { ROUTE_ARGS_METADATA } from '../nest.js';
import type { Decorated, Method } from './decorated.js';

/** What TypeScript says of a method that has any decorator. */
const PARAMTYPES_METADATA = 'design:paramtypes';

const OURS = '@Payload(), @Ctx(), @KeyState() or @ShardingKey()';
const KNOWN = new Set<number>(Object.values(ParameterType));

/** One parameter of a method, as its decorator says. */
export interface Parameter {
  readonly index: number;
  readonly type: number;
  /** The property of the payload, where it is one. */
  readonly data: unknown;
  readonly pipes: readonly unknown[];
}

type Metadata = Readonly<Record<string, Parameter>>;

/**
 * What the parameters of a method are decorated with, in order; `undefined` where none is, so that they are payload, state and context.
 * @throws {InvalidHandlerError} where a decorator means nothing here, or is missing beside others
 */
export function parametersOf(className: string, { handler }: Decorated, name: string): Parameter[] | undefined {
  const type = handler.constructor as object | undefined;
  if (type === undefined) return undefined;
  const given = metadataOf(type, name);
  if (given === undefined) return undefined;
  const parameters = Object.entries(given)
    .map(([key, { index, data, pipes }]) => ({ index, data, pipes, type: Number(key.split(':')[0]) }))
    .sort((one, other) => one.index - other.index);
  const refuse = (index: number, problem: string): never => {
    throw new InvalidHandlerError(className, `parameter ${index + 1} of its method ${name} ${problem}`);
  };
  parameters.forEach(({ index, type: kind, data, pipes }, at) => {
    if (!KNOWN.has(kind) || (kind === ParameterType.context && data !== undefined)) {
      refuse(index, `has a decorator that means nothing here: use ${OURS}`);
    }
    if (kind !== ParameterType.payload && pipes.length > 0) refuse(index, 'has pipes: they are for @Payload() alone');
    if (parameters[at + 1]?.index === index) refuse(index, `has two decorators: use one of ${OURS}`);
  });
  const declared = countOf(handler, name);
  for (let index = 0; index < declared; index++) {
    if (parameters.some((parameter) => parameter.index === index)) continue;
    refuse(index, `has no decorator, while others of it have: decorate it with ${OURS}, or none of them`);
  }
  return parameters;
}

/**
 * Nest adds what a class says to what the class says that it extends. A method that is overridden with decorators of its own has these
 * alone: Nest is to see it so, too.
 */
function metadataOf(type: object, name: string): Metadata | undefined {
  const own = Reflect.getOwnMetadata(ROUTE_ARGS_METADATA, type, name) as Metadata | undefined;
  const base = Object.getPrototypeOf(type) as object;
  const inherited = Reflect.getMetadata(ROUTE_ARGS_METADATA, base, name) as Metadata | undefined;
  if (own === undefined || inherited === undefined) return own ?? inherited;
  const alone = Object.fromEntries(Object.entries(own).filter(([key, parameter]) => inherited[key] !== parameter));
  Reflect.defineMetadata(ROUTE_ARGS_METADATA, alone, type, name);
  return alone;
}

/** How many parameters a method has. Those with a default do not count in its `length`. */
function countOf(handler: object, name: string): number {
  const types = Reflect.getMetadata(PARAMTYPES_METADATA, handler, name) as unknown[] | undefined;
  const method: unknown = Reflect.get(handler, name);
  return Math.max(types?.length ?? 0, typeof method === 'function' ? method.length : 0);
}

/** A method with decorated parameters as one of payload, state and context. */
export function bindParameters({ handler, method }: Decorated, parameters: readonly Parameter[]): Method {
  const length = Math.max(...parameters.map(({ index }) => index)) + 1;
  return (...args) => {
    const values = Array.from<unknown>({ length });
    for (const { index, type, data } of parameters) values[index] = valueOf(type, data, args);
    return Reflect.apply(method!, handler, values);
  };
}

/** @param args payload, state and context */
export function valueOf(type: number, data: unknown, [payload, state, context]: readonly unknown[]): unknown {
  switch (type) {
    case ParameterType.payload:
      return typeof data === 'string' ? (payload as Record<string, unknown> | undefined | null)?.[data] : payload;
    case ParameterType.state:
      return state;
    case ParameterType.key:
      return (context as MessageContext).key;
    default:
      return context;
  }
}
