import { Type as TransformTo } from 'class-transformer';
import { ValidateBy, ValidateIf, ValidateNested, type ValidationOptions } from 'class-validator';
import { isPayloadFormat } from '../payload/payload-format.js';

interface NumberRange {
  min?: number;
  infinity?: boolean;
}

/** May be left out, which is `undefined` too. `null` is a value, and no option takes it. */
export function Optional(): PropertyDecorator {
  return ValidateIf((_options, value: unknown) => value !== undefined);
}

/** Options inside options. */
export function Nested(type: () => new () => object): PropertyDecorator {
  const isObject = expects(
    'isObject',
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'an object was expected',
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

/** A time span: a finite number of milliseconds, or Infinity where that has a meaning. */
export function IsMilliseconds(range: NumberRange = {}, options?: ValidationOptions): PropertyDecorator {
  const min = range.min ?? 0;
  return expects(
    'isMilliseconds',
    (value) => typeof value === 'number' && value >= min && (Number.isFinite(value) || range.infinity === true),
    `a number of milliseconds, at least ${min}${range.infinity ? ' (Infinity is allowed)' : ''}, was expected`,
    options,
  );
}

/** A whole number from 1 on, or Infinity where that has a meaning. */
export function IsCount(range: NumberRange = {}, options?: ValidationOptions): PropertyDecorator {
  const min = range.min ?? 1;
  return expects(
    'isCount',
    (value) =>
      typeof value === 'number' &&
      value >= min &&
      (Number.isSafeInteger(value) || (value === Infinity && range.infinity === true)),
    `a whole number, at least ${min}${range.infinity ? ' (Infinity is allowed)' : ''}, was expected`,
    options,
  );
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

export function expects(
  name: string,
  validate: (value: unknown) => boolean,
  message: string,
  options?: ValidationOptions,
): PropertyDecorator {
  return ValidateBy({ name, validator: { validate, defaultMessage: () => message } }, options);
}
