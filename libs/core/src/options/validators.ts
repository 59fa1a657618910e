import { Type as TransformTo } from 'class-transformer';
import {
  ValidateBy,
  ValidateIf,
  ValidateNested,
  type ValidationArguments,
  type ValidationOptions,
} from 'class-validator';
import { isPayloadFormat } from '../payload/payload-format.js';
import { isSignalFormat } from '../signals/signal-codec.js';

/**
 * The values that {@link IsMilliseconds} takes: from `min` on, and `Infinity` where it is allowed.
 * @publicApi
 */
export interface NumberRange {
  min?: number;
  infinity?: boolean;
}

/**
 * The values that {@link IsCount} takes.
 * @publicApi
 */
export interface CountRange extends NumberRange {
  max?: number;
}

/**
 * May be left out, which is `undefined` too. `null` is a value, and no option takes it.
 * @publicApi
 */
export function Optional(): PropertyDecorator {
  return ValidateIf((_options, value: unknown) => value !== undefined);
}

/**
 * Options inside options.
 * @publicApi
 */
export function Nested(type: () => new () => object, message = 'an object was expected'): PropertyDecorator {
  const isObject = expects(
    'isObject',
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    message,
  );
  return (target, property) => {
    for (const decorate of [isObject, ValidateNested(), TransformTo(type)]) decorate(target, property);
  };
}

/** The name of an instance of the module. */
export function IsInstanceName(options?: ValidationOptions): PropertyDecorator {
  return expects(
    'isInstanceName',
    (value) => typeof value === 'string' && value !== '',
    'a name of at least one character was expected',
    options,
  );
}

/**
 * A time span: a finite number of milliseconds, or Infinity where that has a meaning.
 * @publicApi
 */
export function IsMilliseconds(range: NumberRange = {}, options?: ValidationOptions): PropertyDecorator {
  const min = range.min ?? 0;
  return expects(
    'isMilliseconds',
    (value) => typeof value === 'number' && value >= min && (Number.isFinite(value) || range.infinity === true),
    `a number of milliseconds, at least ${min}${range.infinity ? ' (Infinity is allowed)' : ''}, was expected`,
    options,
  );
}

/**
 * A whole number from 1 on, perhaps with a largest one, or Infinity where that has a meaning.
 * @publicApi
 */
export function IsCount(range: CountRange = {}, options?: ValidationOptions): PropertyDecorator {
  const { min = 1, max = Number.MAX_SAFE_INTEGER, infinity = false } = range;
  const more = infinity ? ' (Infinity is allowed)' : '';
  const bounds = max === Number.MAX_SAFE_INTEGER ? `, at least ${min}${more},` : ` from ${min} to ${max}${more}`;
  return expects(
    'isCount',
    (value) =>
      typeof value === 'number' &&
      value >= min &&
      ((Number.isSafeInteger(value) && value <= max) || (value === Infinity && infinity)),
    `a whole number${bounds} was expected`,
    options,
  );
}

export function IsFunction(options?: ValidationOptions): PropertyDecorator {
  return expects('isFunction', (value) => typeof value === 'function', 'a function was expected', options);
}

export function IsTransport(options?: ValidationOptions): PropertyDecorator {
  return expects(
    'isTransport',
    (value) => typeof value === 'object' && value !== null && typeof Reflect.get(value, 'connect') === 'function',
    'a transport was expected, such as memory()',
    options,
  );
}

export function IsPayloadFormat(options?: ValidationOptions): PropertyDecorator {
  return expects(
    'isPayloadFormat',
    isPayloadFormat,
    `'json', 'text', 'bytes', a codec with encode and decode, or a class was expected`,
    options,
  );
}

export function IsSignalFormat(options?: ValidationOptions): PropertyDecorator {
  return expects('isSignalFormat', isSignalFormat, `'json' or a codec with encode and decode was expected`, options);
}

/**
 * What an option must be. `validate` may look at the other options, in `args.object`.
 * @publicApi
 */
export function expects(
  name: string,
  validate: (value: unknown, args: ValidationArguments) => boolean,
  message: string,
  options?: ValidationOptions,
): PropertyDecorator {
  // class-validator always gives the arguments, though its types leave them out.
  const validator = {
    validate: (value: unknown, args?: ValidationArguments) => validate(value, args!),
    defaultMessage: () => message,
  };
  return ValidateBy({ name, validator }, options);
}
