import type { HeaderValue, MessageHeaders, MessageProperties } from '@mississippi/core/store';

/**
 * Headers as bytes: JSON in UTF-8, so that an operator can read them. What JSON has no form for stands as an object with the one
 * name `$` and the kind and the value in it. An object of the headers' own that has a name `$` stands as a list of pairs. Where the
 * message has properties they stand around its headers.
 */
type Tagged = { readonly $: readonly [kind: 'bigint' | 'bytes' | 'number', text: string] | readonly ['object', Pairs] };
/** Headers with the message's properties. */
interface Whole {
  readonly $: readonly ['message', MessageProperties, Json];
}
type Pairs = readonly (readonly [string, Json])[];
type Json = string | number | boolean | null | Tagged | readonly Json[] | { readonly [name: string]: Json };

export function encodeHeaders(headers: MessageHeaders, properties?: MessageProperties): Buffer {
  const json = toJson(headers);
  return Buffer.from(JSON.stringify(properties === undefined ? json : { $: ['message', properties, json] }));
}

/** What is said of a message besides its payload. */
export interface Described {
  readonly headers: MessageHeaders;
  readonly properties: MessageProperties | undefined;
}

export function decodeHeaders(bytes: Uint8Array): Described {
  const json = JSON.parse(Buffer.from(bytes).toString()) as Json | Whole;
  const [properties, headers] = isWhole(json) ? [json.$[1], json.$[2]] : [undefined, json];
  return { headers: fromJson(headers) as MessageHeaders, properties };
}

function toJson(value: HeaderValue): Json {
  if (typeof value === 'bigint') return { $: ['bigint', String(value)] };
  if (typeof value === 'number')
    return isPlain(value) ? value : { $: ['number', Object.is(value, -0) ? '-0' : String(value)] };
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return { $: ['bytes', Buffer.from(value).toString('base64')] };
  if (isList(value)) return value.map(toJson);
  const pairs = Object.entries(value)
    .filter(([, inner]) => (inner as HeaderValue | undefined) !== undefined)
    .map(([name, inner]) => [name, toJson(inner)] as const);
  return Object.hasOwn(value, '$') ? { $: ['object', pairs] } : Object.fromEntries(pairs);
}

function fromJson(json: Json): HeaderValue {
  if (typeof json !== 'object' || json === null) return json;
  if (isList(json)) return json.map(fromJson);
  if (!isTagged(json)) return objectOf(Object.entries(json));
  const [kind, value] = json.$;
  if (kind === 'object') return objectOf(value);
  if (kind === 'bytes') return new Uint8Array(Buffer.from(value, 'base64'));
  return kind === 'bigint' ? BigInt(value) : Number(value);
}

function objectOf(pairs: Pairs): { readonly [name: string]: HeaderValue } {
  return Object.fromEntries(pairs.map(([name, json]) => [name, fromJson(json)]));
}

function isWhole(json: Json | Whole): json is Whole {
  return typeof json === 'object' && json !== null && '$' in json && Array.isArray(json.$) && json.$[0] === 'message';
}

function isTagged(json: object): json is Tagged {
  return Object.hasOwn(json, '$');
}

function isList<T>(value: object | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function isPlain(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}
