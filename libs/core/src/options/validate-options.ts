import { inspect } from 'node:util';
import type { Type } from '@nestjs/common';
import { describe } from '../errors/describe.js';
import { InvalidOptionsError, type OptionProblem } from '../errors/index.js';
import { isObject } from '../is-object.js';
import { optionsOf, type OptionDeclaration } from './option-rules.js';

/**
 * Checks options against their class: unknown names and wrong values are refused together, each with its path.
 * The options are returned as they are, since transports and codecs must not be copied.
 * @throws {InvalidOptionsError}
 * @publicApi
 */
export function validateOptions<T extends object>(path: string, type: Type<T>, options: unknown): T {
  checkObject(path, options);
  const found = problemsOf(path, type, options);
  if (found.length > 0) throw new InvalidOptionsError(found);
  return options as T;
}

/** @throws {InvalidOptionsError} */
export function checkObject(path: string, options: unknown): asserts options is object {
  if (isObject(options)) return;
  throw new InvalidOptionsError([{ path, expected: `an object was expected, not ${show(options)}` }]);
}

function problemsOf(path: string, type: Type<object>, options: object): OptionProblem[] {
  const known = optionsOf(type);
  const unknown = Object.keys(options).filter((name) => !known.has(name));
  const names = [...known.keys()].sort().join(', ');
  return [
    ...unknown.map((name) => ({ path: `${path}.${name}`, expected: `there is no such option (known: ${names})` })),
    ...[...known].flatMap(([name, declaration]) => problemsOfOne(`${path}.${name}`, declaration, options, name)),
  ];
}

/** A value is read as it will be later: a user's own class may have a getter for it. */
function problemsOfOne(path: string, declaration: OptionDeclaration, object: object, name: string): OptionProblem[] {
  const { optional, rules, nested } = declaration;
  const value: unknown = Reflect.get(object, name);
  if (value === undefined && optional) return [];
  const missed = rules.filter(({ validate }) => !validate(value, { object })).map(({ expected }) => expected);
  const type = isObject(value) ? nested?.(value) : undefined;
  const inside = type === undefined ? [] : problemsOf(path, type, value as object);
  if (missed.length === 0) return inside;
  return [{ path, expected: `${[...new Set(missed)].join(' and ')}, not ${show(value)}` }, ...inside];
}

/**
 * A value as it is written in code, so that a number in a string can be told from a number. What stands before an `@` may be a
 * password: urls are given in wrong places, too.
 */
function show(value: unknown): string {
  if (typeof value === 'string') return inspect(value.replace(/:[^]*@/, ':…@'), { maxStringLength: 100 });
  return describe(value).replace(/:\/\/[^]*@/, '://…@');
}
