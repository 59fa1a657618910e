import type { PayloadCodec } from '../interfaces/payload-codec.interface.js';
import { jsonCodec } from '../payload/codecs.js';

/** A value that JSON does not give back alike. */
export class NotJson extends TypeError {
  /** Where it is in the whole value, as code would reach it: `.items[3].at`; empty for the whole. */
  path = '';

  /** @param found what is there */
  constructor(readonly found: string) {
    super(`${found} is no JSON`);
  }

  inside(step: string | number): this {
    this.path = stepText(step) + this.path;
    return this;
  }
}

/**
 * JSON that refuses what it would damage in silence: what is decoded is what was encoded. Members that are `undefined` are
 * left out, since they read the same, and -0 becomes 0.
 */
export const strictJson: PayloadCodec = {
  /** @throws {NotJson} */
  encode(value) {
    const found = faultOf(value, []);
    if (found !== undefined) throw found;
    return Buffer.from(JSON.stringify(value));
  },
  decode: (body) => jsonCodec.decode(body),
};

/** @param above the objects around the value, from the outermost on */
function faultOf(value: unknown, above: object[]): NotJson | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : new NotJson(String(value));
    case 'object':
      return value === null ? undefined : faultIn(value, above);
    case 'undefined':
      return new NotJson('undefined');
    default:
      return new NotJson(`a ${typeof value}`);
  }
}

function faultIn(value: object, above: object[]): NotJson | undefined {
  if (above.includes(value)) return new NotJson('an object that contains itself');
  const shape = Array.isArray(value) ? isPlainList(value) : isPlainObject(value);
  if (!shape) return new NotJson(`an instance of ${className(value)}`);
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return new NotJson('an object with toJSON');
  above.push(value);
  const found = Array.isArray(value) ? faultOfItems(value, above) : faultOfMembers(value, above);
  above.pop();
  return found;
}

function faultOfItems(list: readonly unknown[], above: object[]): NotJson | undefined {
  for (let index = 0; index < list.length; index++) {
    const found = faultOf(list[index], above); // A hole is undefined.
    if (found !== undefined) return found.inside(index);
  }
  return undefined;
}

function faultOfMembers(record: object, above: object[]): NotJson | undefined {
  for (const name of Object.keys(record)) {
    const member = (record as Record<string, unknown>)[name];
    const found = member === undefined ? undefined : faultOf(member, above);
    if (found !== undefined) return found.inside(name);
  }
  const symbols = Object.getOwnPropertySymbols(record);
  if (symbols.length === 0) return undefined;
  const hidden = symbols.find((name) => Object.prototype.propertyIsEnumerable.call(record, name));
  return hidden === undefined ? undefined : new NotJson(`an object with the member ${String(hidden)}`);
}

/** An object literal, also one of another realm, or one without a prototype. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || isObjectPrototype(prototype as object);
}

function isPlainList(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) return true;
  const next: unknown = prototype === null ? null : Object.getPrototypeOf(prototype);
  return Array.isArray(prototype) && next !== null && isObjectPrototype(next as object);
}

function isObjectPrototype(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

function className(value: object): string {
  const constructor: unknown = Reflect.get(value, 'constructor');
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'a class';
}

function stepText(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}
