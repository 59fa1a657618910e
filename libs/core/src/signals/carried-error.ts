import * as nest from '@nestjs/common';
import { HttpException } from '@nestjs/common';
import { describe } from '../errors/describe.js';
import * as errors from '../errors/index.js';
import { MississippiError, RemoteSignalError } from '../errors/index.js';

/** What is longer is cut. Characters. */
const LONGEST_MESSAGE = 10_000;

/** A body of an HTTP exception that is longer stays behind. Characters of its JSON. */
const LONGEST_RESPONSE = 100_000;

/**
 * An error in a form that travels. Three kinds arrive in three ways: what the library says about the signal as the class
 * that says it, an HTTP exception as the nearest of Nest's own, anything else as {@link RemoteSignalError}.
 */
export interface CarriedError {
  readonly kind: 'library' | 'http' | 'thrown';
  /** The class, where it is one that the other side has. */
  readonly type?: string | undefined;
  readonly name: string;
  readonly message: string;
  /** Only a code that is a string. */
  readonly code?: string | undefined;
  /** What else a library's error has. */
  readonly fields?: object;
  readonly status?: number;
  readonly response?: string | Record<string, unknown>;
}

type Class = new (...args: never[]) => Error;

const LIBRARY = classes(errors, MississippiError);
const HTTP = classes(nest, HttpException);

/** What the caller of a signal sees of what its handler threw: the same in this process as in another. */
export function asCallersSee(thrown: unknown): Error {
  try {
    return revive(thrown instanceof HttpException ? httpForm(thrown) : thrownForm(thrown), thrown);
  } catch {
    // An exception whose own methods throw: the turn must not fail because somebody looks at it.
    return new RemoteSignalError('Error', describe(thrown), undefined, { cause: thrown });
  }
}

/** An error of the library, or one that {@link asCallersSee} made, as it travels. */
export function carry(error: unknown): CarriedError {
  if (error instanceof HttpException) return httpForm(error);
  if (!(error instanceof MississippiError) || error instanceof RemoteSignalError) return thrownForm(error);
  const { name, message, code, stack: _stack, cause: _cause, ...fields } = error;
  return { kind: 'library', type: name, name, message, code, fields };
}

/** @param cause the error itself, where it is at hand */
export function revive(carried: CarriedError, cause?: unknown): Error {
  const { kind, name, message, code } = carried;
  const options = cause === undefined ? undefined : { cause };
  if (kind === 'http') return revivedHttp(carried, options);
  const type = kind === 'library' ? LIBRARY.get(carried.type!) : undefined;
  if (type === undefined) return new RemoteSignalError(name, message, code, options);
  return Object.assign(Object.setPrototypeOf(new Error(message), type.prototype as object) as Error, {
    ...carried.fields,
    name,
    code,
  });
}

function revivedHttp(carried: CarriedError, options: ErrorOptions | undefined): HttpException {
  const exception = new HttpException(carried.response ?? carried.message, carried.status ?? 500, options);
  const type = HTTP.get(carried.type ?? '');
  if (type !== undefined) Object.setPrototypeOf(exception, type.prototype as object);
  return Object.assign(exception, { name: carried.name, message: carried.message });
}

function thrownForm(thrown: unknown): CarriedError {
  return { kind: 'thrown', name: nameOf(thrown), message: messageOf(thrown), code: textIn(thrown, 'code') };
}

function httpForm(exception: HttpException): CarriedError {
  return {
    kind: 'http',
    type: nearestOfNest(exception),
    name: nameOf(exception),
    message: messageOf(exception),
    status: exception.getStatus(),
    response: responseOf(exception),
  };
}

/** As Nest would write it into the body of its answer. */
function responseOf(exception: HttpException): string | Record<string, unknown> {
  try {
    const text = JSON.stringify(exception.getResponse());
    if (text.length <= LONGEST_RESPONSE) return JSON.parse(text) as string | Record<string, unknown>;
  } catch {
    // It has no form in JSON: Nest could not write it either.
  }
  return messageOf(exception);
}

function nearestOfNest(exception: HttpException): string | undefined {
  let prototype: unknown = Object.getPrototypeOf(exception);
  for (; prototype !== HttpException.prototype && prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    const { constructor } = prototype as object;
    if (HTTP.get(constructor.name) === constructor) return constructor.name;
  }
  return undefined;
}

function nameOf(thrown: unknown): string {
  return (thrown instanceof Error ? textIn(thrown, 'name') : undefined) ?? 'Error';
}

function messageOf(thrown: unknown): string {
  const text = (thrown instanceof Error ? textIn(thrown, 'message') : undefined) ?? describe(thrown);
  return text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE - 1)}…` : text;
}

/** Whatever was thrown, looking at it throws nothing. */
function textIn(thrown: unknown, name: string): string | undefined {
  try {
    const value: unknown = typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, name) : undefined;
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The classes below one among the exports of a module, by name. */
function classes(module: object, base: abstract new (...args: never[]) => Error): ReadonlyMap<string, Class> {
  const all: unknown[] = Object.values(module);
  const found = all.filter((value): value is Class => {
    return typeof value === 'function' && (value.prototype as unknown) instanceof base;
  });
  return new Map(found.map((type) => [type.name, type]));
}
