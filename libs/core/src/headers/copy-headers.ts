import { describe } from '../errors/describe.js';
import { InvalidMessageError } from '../errors/index.js';
import { isWellFormed } from '../well-formed.js';
import type { HeaderValue, MessageHeaders } from '../interfaces/message-headers.interface.js';

/** Names that a publisher may not give, and why. RabbitMQ tells capital letters from small ones. */
const RESERVED: ReadonlyMap<string, string> = new Map([
  ['CC', 'RabbitMQ routes a copy of the message to each queue that it names'],
  ['BCC', 'RabbitMQ routes a copy of the message to each queue that it names'],
  ['sharding_key', 'it carries the sharding key: give that as shardingKey'],
]);

/** AMQP 0-9-1, 4.2.5.3: a name is a short string. Bytes. */
const MOST_NAME_BYTES = 255;
/** Lists and tables around one another; what lies deeper would arrive as bytes. */
const MOST_DEPTH = 32;

const MOST_INTEGER = 2n ** 63n - 1n;
const LEAST_INTEGER = -(2n ** 63n);

/**
 * A copy of a caller's headers, in which every value is one that each transport carries as it is. What is `undefined` is
 * left out. A bigint that a number holds exactly becomes one, as it would on its way.
 * @throws {InvalidMessageError} when a name or a value cannot be sent; it says which
 */
export function copyHeaders(headers: unknown): MessageHeaders {
  if (!isTable(headers)) throw InvalidMessageError.headers(headers);
  return copyTable(headers, '', 0) as MessageHeaders;
}

function copyTable(table: object, path: string, depth: number): HeaderValue {
  const copy: Record<string, HeaderValue> = {};
  for (const name of Object.keys(table)) {
    const here = path === '' ? name : `${path}.${name}`;
    const value = read(table, name, here);
    if (value === undefined) continue;
    const why = whyNoName(name, depth);
    if (why !== undefined) throw InvalidMessageError.header(here, why);
    copy[name] = copyValue(value, here, depth);
  }
  return copy;
}

function copyValue(value: unknown, path: string, depth: number): HeaderValue {
  switch (typeof value) {
    case 'string':
      if (!isWellFormed(value))
        throw InvalidMessageError.header(path, 'its text holds half a surrogate pair, which has no form in UTF-8');
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw InvalidMessageError.header(path, `a finite number was expected, not ${value}`);
      return value === 0 ? 0 : value; // No negative zero: as an integer there is none.
    case 'bigint':
      if (value > MOST_INTEGER || value < LEAST_INTEGER)
        throw InvalidMessageError.header(path, `an integer of 64 bits was expected, not ${value}`);
      return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : copyObject(value, path, depth);
    default:
      throw InvalidMessageError.headerValue(path, value);
  }
}

function copyObject(value: object, path: string, depth: number): HeaderValue {
  if (value instanceof Uint8Array) return Buffer.from(value);
  const isList = Array.isArray(value);
  if (!isList && !isTable(value)) throw InvalidMessageError.headerValue(path, value);
  if (depth === MOST_DEPTH) {
    throw InvalidMessageError.header(
      path.slice(0, 100),
      `it lies more than ${MOST_DEPTH} lists and tables deep, or holds itself`,
    );
  }
  return isList
    ? Array.from({ length: value.length }, (_, index) => {
        const here = `${path}[${index}]`;
        return copyValue(read(value, index, here), here, depth + 1);
      })
    : copyTable(value, path, depth + 1);
}

/** A value may be computed when it is read. */
function read(from: object, name: PropertyKey, path: string): unknown {
  try {
    return Reflect.get(from, name);
  } catch (error) {
    throw InvalidMessageError.header(path, `reading it throws (${describe(error)})`, error);
  }
}

/** A plain object, of whatever realm. */
function isTable(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function whyNoName(name: string, depth: number): string | undefined {
  const why = depth === 0 ? RESERVED.get(name) : undefined;
  if (why !== undefined) return `the name is reserved, since ${why}`;
  // In a table inside, amqplib takes '!' for the name of a type.
  if (name === '__proto__' || (name === '!' && depth > 0)) return 'no header can have this name';
  if (name.length * 3 > MOST_NAME_BYTES && Buffer.byteLength(name) > MOST_NAME_BYTES) {
    return `its name has more than ${MOST_NAME_BYTES} bytes`;
  }
  return isWellFormed(name) ? undefined : 'its name holds half a surrogate pair, which has no form in UTF-8';
}
