import { expects } from '@mississippi/core/transport';

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

export function IsUrls(): PropertyDecorator {
  return expects(
    (value) => Array.isArray(value) && value.length > 0 && value.every(isUrl),
    'a list of urls such as amqp://user:password@host:5672/vhost was expected (amqps:// for TLS; percent-encode special characters)',
  );
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
