import { inspect } from 'node:util';
import type { Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { describe } from '../errors/describe.js';
import { InvalidOptionsError, type OptionProblem } from '../errors/index.js';

/**
 * Checks options against their class: unknown names and wrong values are refused together, each with its path.
 * The values themselves are returned as they are, since transports and codecs must not be copied.
 * @throws {InvalidOptionsError}
 * @publicApi
 */
export function validateOptions<T extends object>(path: string, type: Type<T>, options: unknown): T {
  checkObject(path, options);
  const errors = validateSync(asInstance(type, options), { whitelist: true, forbidNonWhitelisted: true });
  if (errors.length > 0) throw new InvalidOptionsError(errors.flatMap((error) => problems(path, error)));
  return options as T;
}

/** @throws {InvalidOptionsError} */
export function checkObject(path: string, options: unknown): asserts options is object {
  if (isObject(options)) return;
  throw new InvalidOptionsError([{ path, expected: `an object was expected, not ${show(options)}` }]);
}

/** An instance of the class for class-validator, with the same values. Only options inside options are made anew. */
function asInstance<T extends object>(type: Type<T>, options: object): T {
  const instance = new type();
  // What a prototype brings, such as a getter of a user's own class, is read later too.
  const inherited = optionNames(type).filter((name) => name in options);
  for (const name of new Set([...Object.keys(options), ...inherited])) {
    const value: unknown = Reflect.get(options, name);
    const nested = isObject(value) ? nestedType(type, name) : undefined;
    Reflect.set(instance, name, nested === undefined ? value : asInstance(nested, value as object));
  }
  return instance;
}

/** The class of options inside options, as class-transformer knows it. */
function nestedType(type: Type<object>, name: string): Type<object> | undefined {
  const made = Reflect.get(plainToInstance(type, { [name]: {} }), name) as object;
  return made.constructor === Object ? undefined : (made.constructor as Type<object>);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as it is written in code, so that a number in a string can be told from a number. */
function show(value: unknown): string {
  return typeof value === 'string' ? inspect(value, { maxStringLength: 100 }) : describe(value);
}

function problems(path: string, error: ValidationError): OptionProblem[] {
  const here = `${path}.${error.property}`;
  if (error.children && error.children.length > 0) return error.children.flatMap((child) => problems(here, child));
  const constraints = error.constraints ?? {};
  if ('whitelistValidation' in constraints) {
    const known = error.target ? optionNames(error.target.constructor).sort().join(', ') : '';
    return [{ path: here, expected: `there is no such option (known: ${known})` }];
  }
  const texts = withoutRepetition(constraints).map(([name, text]) => expectation(name, text, error.property));
  return [{ path: here, expected: `${[...new Set(texts)].join(' and ')}, not ${show(error.value)}` }];
}

/** What is no object fails the check for that and the look into it: the first says what was expected. */
function withoutRepetition(constraints: Record<string, string>): [string, string][] {
  const entries = Object.entries(constraints);
  return 'isObject' in constraints ? entries.filter(([name]) => name !== 'nestedValidation') : entries;
}

/** class-validator's own texts begin with the property, which the path already names. */
function expectation(name: string, text: string, property: string): string {
  if (name === 'nestedValidation') return 'an object was expected';
  const own = text.startsWith(`${property} `) ? text.slice(property.length + 1) : text;
  return own.replace(/^must be /, '').replace(/^(?=[^']*$)(?!.*expected)(.*)$/, '$1 was expected');
}

function optionNames(type: unknown): string[] {
  const metadata = getMetadataStorage().getTargetValidationMetadatas(type as () => void, '', false, false);
  return [...new Set(metadata.map((entry) => entry.propertyName))];
}
