import { ErlangAtom, ErlangBitstring, ErlangFloat, ErlangImproperList, ErlangTuple, type Term } from './term.js';

/** A key and its value in a map. */
export type Pair = readonly [Term, Term];

/** A JavaScript value as the Erlang term it stands for. The one place that knows the mapping. */
export type Shape =
  | { readonly kind: 'integer'; readonly value: number | bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'atom'; readonly name: string }
  | { readonly kind: 'tuple'; readonly elements: readonly Term[] }
  | { readonly kind: 'map'; readonly pairs: readonly Pair[] }
  | { readonly kind: 'list'; readonly elements: readonly Term[]; readonly tail: Term | undefined }
  | { readonly kind: 'binary'; readonly value: string | Uint8Array }
  | { readonly kind: 'bitstring'; readonly value: ErlangBitstring };

const TRUE: Shape = { kind: 'atom', name: 'true' };
const FALSE: Shape = { kind: 'atom', name: 'false' };
const NIL: Shape = { kind: 'atom', name: 'nil' };

/** The shape of a value known to be a term at this level; `undefined` for whatever else a caller without types passed. */
export function shapeOf(term: Term): Shape;
export function shapeOf(value: unknown): Shape | undefined;
export function shapeOf(value: unknown): Shape | undefined {
  switch (typeof value) {
    case 'string':
      return { kind: 'binary', value };
    case 'number':
      if (Number.isSafeInteger(value)) return { kind: 'integer', value };
      return Number.isFinite(value) ? { kind: 'float', value } : undefined;
    case 'bigint':
      return { kind: 'integer', value };
    case 'boolean':
      return value ? TRUE : FALSE;
    case 'object':
      return value === null ? NIL : shapeOfObject(value);
    default:
      return undefined;
  }
}

function shapeOfObject(value: object): Shape | undefined {
  if (value instanceof Uint8Array) return { kind: 'binary', value };
  if (Array.isArray(value)) return { kind: 'list', elements: value as readonly Term[], tail: undefined };
  if (value instanceof ErlangTuple) return { kind: 'tuple', elements: value.elements };
  if (value instanceof ErlangAtom) return { kind: 'atom', name: value.name };
  if (value instanceof ErlangFloat) return { kind: 'float', value: value.value };
  if (value instanceof Map) return { kind: 'map', pairs: [...(value as ReadonlyMap<Term, Term>)] };
  if (value instanceof ErlangImproperList) return { kind: 'list', elements: value.elements, tail: value.tail };
  if (value instanceof ErlangBitstring) return { kind: 'bitstring', value };
  if (isPlainObject(value)) return { kind: 'map', pairs: Object.entries(value) };
  return undefined;
}

/**
 * Made by a literal, `JSON.parse` or `Object.create(null)`, in this realm or another one, and without properties that
 * would be lost because their key is a symbol.
 */
function isPlainObject(value: object): value is { readonly [key: string]: Term } {
  const prototype: unknown = Object.getPrototypeOf(value);
  const plain = prototype === null || (typeof prototype === 'object' && Object.getPrototypeOf(prototype) === null);
  return plain && Object.getOwnPropertySymbols(value).length === 0;
}

/** The value of an integer from 0 to 255, else -1. Lists of such bytes are strings to Erlang's encoder and hash. */
export function asByte(term: Term | undefined): number {
  if (typeof term === 'number') return term >= 0 && term <= 255 && Number.isInteger(term) ? term : -1;
  if (typeof term === 'bigint') return term >= 0n && term <= 255n ? Number(term) : -1;
  return -1;
}
