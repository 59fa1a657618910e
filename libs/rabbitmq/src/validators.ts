import { Type } from 'class-transformer';
import { ValidateBy, ValidateIf, ValidateNested, type ValidationArguments } from 'class-validator';
import type { RabbitMqOptions } from './rabbitmq.options.js';

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
    for (const decorate of [isObject, ValidateNested(), Type(type)]) decorate(target, property);
  };
}

export function IsWhole({ min = 1, max = Number.MAX_SAFE_INTEGER } = {}): PropertyDecorator {
  return expects(
    'isWhole',
    (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
    max === Number.MAX_SAFE_INTEGER
      ? `a whole number, at least ${min}, was expected`
      : `a whole number from ${min} to ${max} was expected`,
  );
}

export function IsMilliseconds(): PropertyDecorator {
  return expects(
    'isMilliseconds',
    (value) => Number.isFinite(value) && (value as number) >= 1,
    'a number of milliseconds, at least 1, was expected',
  );
}

export function IsText(pattern = /^/, expected = 'a string was expected'): PropertyDecorator {
  return expects('isText', (value) => typeof value === 'string' && pattern.test(value), expected);
}

export function IsOneOf(...values: readonly string[]): PropertyDecorator {
  const list = values.map((value) => `'${value}'`).join(' or ');
  return expects('isOneOf', (value) => values.includes(value as string), `${list} was expected`);
}

export function IsSwitch(): PropertyDecorator {
  return expects('isSwitch', (value) => typeof value === 'boolean', 'true or false was expected');
}

/** PEM, as TLS takes it. */
export function IsPem({ list = false } = {}): PropertyDecorator {
  const one = (value: unknown): boolean => typeof value === 'string' || Buffer.isBuffer(value);
  return expects(
    'isPem',
    (value) => one(value) || (list && Array.isArray(value) && value.every(one)),
    `PEM in a string or a Buffer${list ? ', or a list of them,' : ''} was expected`,
  );
}

export function IsUrls(): PropertyDecorator {
  return expects(
    'isUrls',
    (value) => Array.isArray(value) && value.length > 0 && value.every(isUrl),
    'a list of urls such as amqp://user:password@host:5672/vhost was expected (amqps:// for TLS; percent-encode special characters)',
  );
}

/** Agrees with the other options. */
export function Fits(test: (options: RabbitMqOptions) => boolean, expected: string): PropertyDecorator {
  return expects('fits', (_value, { object }) => test(object), expected);
}

function isUrl(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  try {
    const { protocol, hostname, username, password, pathname } = new URL(value);
    for (const part of [username, password, pathname]) decodeURIComponent(part);
    return /^amqps?:$/.test(protocol) && hostname !== '';
  } catch {
    return false;
  }
}

function expects(
  name: string,
  validate: (value: unknown, args: ValidationArguments) => boolean,
  message: string,
): PropertyDecorator {
  return ValidateBy({
    name,
    validator: { validate: (value, args) => validate(value, args!), defaultMessage: () => message },
  });
}
