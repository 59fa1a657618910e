import type { Type } from '@nestjs/common';
import { isObject } from '../is-object.js';
import { KEY_KINDS } from '../keys/key-kinds.js';
import { declarationOf, type OptionPlace } from './option-rules.js';

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
  return (target, property) => {
    declarationOf(target, String(property)).optional = true;
  };
}

/**
 * Options inside options.
 * @publicApi
 */
export function Nested(type: () => new () => object): PropertyDecorator {
  return (target, property) => {
    expects(isObject, 'an object was expected')(target, property);
    declarationOf(target, String(property)).nested = type;
  };
}

/** The same, or a function in their place. */
export function NestedOrFunction(type: () => new () => object): PropertyDecorator {
  return (target, property) => {
    const given = (value: unknown): boolean => isObject(value) || typeof value === 'function';
    expects(given, 'an object or a function was expected')(target, property);
    declarationOf(target, String(property)).nested = type;
  };
}

/** The name of an instance of the module. */
export function IsInstanceName(): PropertyDecorator {
  return expects((value) => typeof value === 'string' && value !== '', 'a name of at least one character was expected');
}

/**
 * A time span: a finite number of milliseconds, or Infinity where that has a meaning.
 * @publicApi
 */
export function IsMilliseconds(range: NumberRange = {}): PropertyDecorator {
  const min = range.min ?? 0;
  return expects(
    (value) => typeof value === 'number' && value >= min && (Number.isFinite(value) || range.infinity === true),
    `a number of milliseconds, at least ${min}${range.infinity ? ' (Infinity is allowed)' : ''}, was expected`,
  );
}

/**
 * A whole number from 1 on, perhaps with a largest one, or Infinity where that has a meaning.
 * @publicApi
 */
export function IsCount(range: CountRange = {}): PropertyDecorator {
  const { min = 1, max = Number.MAX_SAFE_INTEGER, infinity = false } = range;
  const more = infinity ? ' (Infinity is allowed)' : '';
  const bounds = max === Number.MAX_SAFE_INTEGER ? `, at least ${min}${more},` : ` from ${min} to ${max}${more}`;
  return expects(
    (value) =>
      typeof value === 'number' &&
      value >= min &&
      ((Number.isSafeInteger(value) && value <= max) || (value === Infinity && infinity)),
    `a whole number${bounds} was expected`,
  );
}

export function IsFunction(): PropertyDecorator {
  return expects((value) => typeof value === 'function', 'a function was expected');
}

export function IsBoolean(): PropertyDecorator {
  return expects((value) => typeof value === 'boolean', 'a boolean value was expected');
}

export function IsIn(values: readonly string[]): PropertyDecorator {
  return expects((value) => values.includes(value as string), `${listed(values)} was expected`);
}

export function IsInstance(type: Type<object>): PropertyDecorator {
  return expects((value) => value instanceof type, `an instance of ${type.name} was expected`);
}

/** Anything: somebody else says what it is good for. */
export function Allow(): PropertyDecorator {
  return expects(() => true, '');
}

/** One kind of sharding keys, or a list of them. */
export function IsKeyKinds(): PropertyDecorator {
  return expects(
    (value) => {
      const kinds: readonly unknown[] = Array.isArray(value) ? value : [value];
      return kinds.length > 0 && kinds.every((kind) => (KEY_KINDS as unknown[]).includes(kind));
    },
    `${listed(KEY_KINDS)}, or a list of these, was expected`,
  );
}

export function IsTransport(): PropertyDecorator {
  return expects(
    (value) => typeof value === 'object' && value !== null && typeof Reflect.get(value, 'connect') === 'function',
    'a transport was expected, such as memory()',
  );
}

/** Where the type of a message is. */
export function IsTypeSource(): PropertyDecorator {
  return expects((value) => {
    if (value === 'property') return true;
    if (!isObject(value) || Object.keys(value).length !== 1) return false;
    const name = value['header'] ?? value['payload'];
    return typeof name === 'string' && name !== '';
  }, `'property', { header: name } or { payload: name } was expected`);
}

export function IsStore(): PropertyDecorator {
  return expects(
    (value) => typeof value === 'object' && value !== null && typeof Reflect.get(value, 'connect') === 'function',
    'a store was expected, such as postgres({ … }) of @mississippi/postgres',
  );
}

/** A plugin that makes traces and metrics. */
export function IsTelemetry(): PropertyDecorator {
  return expects(
    (value) => typeof value === 'object' && value !== null && typeof Reflect.get(value, 'attach') === 'function',
    'a telemetry was expected, such as openTelemetry() of @mississippi/opentelemetry',
  );
}

/**
 * What an option must be. `validate` may look at the other options, in `place.object`.
 * @publicApi
 */
export function expects(
  validate: (value: unknown, place: OptionPlace) => boolean,
  expected: string,
): PropertyDecorator {
  return (target, property) => {
    declarationOf(target, String(property)).rules.push({ validate, expected });
  };
}

/** Words of which one is expected. */
export function listed(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(' or ');
}
