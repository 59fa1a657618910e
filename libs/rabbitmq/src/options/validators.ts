import { isIPv6 } from 'node:net';
import { expects } from '@mississippi/core/transport';
import { parseBrokerUrl, UrlProblem, URLS_EXPECTED } from './broker-url.js';

export function IsText(pattern = /^/, expected = 'a string was expected'): PropertyDecorator {
  return expects((value) => typeof value === 'string' && pattern.test(value), expected);
}

export function IsOneOf(...values: readonly string[]): PropertyDecorator {
  const list = values.map((value) => `'${value}'`).join(' or ');
  return expects((value) => values.includes(value as string), `${list} was expected`);
}

export function IsSwitch(): PropertyDecorator {
  return expects((value) => typeof value === 'boolean', 'true or false was expected');
}

/** PEM, as TLS takes it. */
export function IsPem({ list = false } = {}): PropertyDecorator {
  const one = (value: unknown): boolean => typeof value === 'string' || Buffer.isBuffer(value);
  return expects(
    (value) => one(value) || (list && Array.isArray(value) && value.every(one)),
    `PEM in a string or a Buffer${list ? ', or a list of them,' : ''} was expected`,
  );
}

/** What they say behind the question mark is checked later: `checkUrlParameters`. */
export function IsUrls(): PropertyDecorator {
  return expects((value) => Array.isArray(value) && value.length > 0 && value.every(isUrl), URLS_EXPECTED);
}

function isUrl(value: unknown): boolean {
  try {
    parseBrokerUrl(value);
    return true;
  } catch (error) {
    if (error instanceof UrlProblem) return error.inParameters;
    throw error;
  }
}

/** A name, or an address of either kind, in brackets or without. */
export function IsHost(): PropertyDecorator {
  return expects(
    (value) =>
      typeof value === 'string' && (/^[^\s/@?#:[\]]+$/.test(value) || isIPv6(value.replace(/^\[(.*)\]$/, '$1'))),
    'the name or address of a host, without a port, was expected',
  );
}
