import { shapeOf, type Pair, type Shape } from './shape.js';
import type { Term } from './term.js';
import { utf8Bytes } from './utf8.js';

/**
 * Erlang's exact order of terms ("Term Comparisons", Erlang Reference Manual, as map keys are compared): integers
 * before floats whatever their values, then atoms, tuples, maps, nil, lists, bit strings.
 *
 * It is the order in which OTP 25 writes the pairs of a map with up to 32 keys, so canonical bytes are mostly the
 * bytes that Erlang wrote. 0.0 and -0.0 compare as equal, as they do up to OTP 26.
 *
 * One instance serves one operation: it remembers the maps that it has sorted. Maps whose keys are maps, nested, would
 * otherwise be sorted again at every comparison, and 14 kB of them took 0.3 s.
 */
export class TermOrder {
  private sorted: Map<Term, readonly Pair[]> | undefined;

  compare(left: Term, right: Term): number {
    if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
    const ours = shapeOf(left);
    const theirs = shapeOf(right);
    const byRank = rank(ours) - rank(theirs);
    if (byRank !== 0) return byRank;
    if (ours.kind === 'integer' && theirs.kind === 'integer') return compareNumbers(ours.value, theirs.value);
    if (ours.kind === 'float' && theirs.kind === 'float') return compareNumbers(ours.value, theirs.value);
    if (ours.kind === 'atom' && theirs.kind === 'atom') return compareText(ours.name, theirs.name);
    if (ours.kind === 'list' && theirs.kind === 'list') return this.compareLists(ours, theirs);
    if (ours.kind === 'tuple' && theirs.kind === 'tuple') {
      return ours.elements.length - theirs.elements.length || this.compareEach(ours.elements, theirs.elements);
    }
    if (ours.kind === 'map' && theirs.kind === 'map') {
      if (ours.pairs.length !== theirs.pairs.length) return ours.pairs.length - theirs.pairs.length;
      return this.compareMaps(this.sortPairs(left, ours.pairs), this.sortPairs(right, theirs.pairs));
    }
    return compareBits(bitsOf(ours), bitsOf(theirs));
  }

  /** The pairs of `map` in the order of their keys. */
  sortPairs(map: Term, pairs: readonly Pair[]): readonly Pair[] {
    if (pairs.length < 2) return pairs;
    this.sorted ??= new Map();
    let sorted = this.sorted.get(map);
    if (sorted === undefined) {
      sorted = pairs.toSorted((left, right) => this.compare(left[0], right[0]));
      this.sorted.set(map, sorted);
    }
    return sorted;
  }

  /** A key that occurs twice in the pairs of `map`, in whatever spelling, or `undefined`. */
  findDuplicate(map: Term, pairs: readonly Pair[]): { readonly key: Term } | undefined {
    const sorted = this.sortPairs(map, pairs);
    for (let i = 1; i < sorted.length; i++) {
      const [before] = sorted[i - 1] as Pair;
      const [key] = sorted[i] as Pair;
      if (this.compare(before, key) === 0) return { key };
    }
    return undefined;
  }

  /** The first difference of two sequences, as far as both go. */
  private compareEach(left: readonly Term[], right: readonly Term[]): number {
    const shared = Math.min(left.length, right.length);
    for (let i = 0; i < shared; i++) {
      const order = this.compare(left[i] as Term, right[i] as Term);
      if (order !== 0) return order;
    }
    return 0;
  }

  /** Maps of one size: all keys first, then all values. */
  private compareMaps(left: readonly Pair[], right: readonly Pair[]): number {
    return this.comparePart(left, right, 0) || this.comparePart(left, right, 1);
  }

  private comparePart(left: readonly Pair[], right: readonly Pair[], part: 0 | 1): number {
    for (let i = 0; i < left.length; i++) {
      const order = this.compare((left[i] as Pair)[part], (right[i] as Pair)[part]);
      if (order !== 0) return order;
    }
    return 0;
  }

  /** Element by element; where one list has ended, its tail is compared with what is left of the other. */
  private compareLists(left: ListShape, right: ListShape): number {
    const order = this.compareEach(left.elements, right.elements);
    if (order !== 0) return order;
    const shared = Math.min(left.elements.length, right.elements.length);
    const ours = restOf(left, shared);
    const theirs = restOf(right, shared);
    return ours === EMPTY && theirs === EMPTY ? 0 : this.compare(ours, theirs);
  }
}

type ListShape = Extract<Shape, { kind: 'list' }>;

const EMPTY: readonly Term[] = [];

function restOf(list: ListShape, from: number): Term {
  // One element stands for "a list is left": its rank decides, since the other side has ended.
  if (from < list.elements.length) return [0];
  return list.tail === undefined ? EMPTY : list.tail;
}

function rank(shape: Shape): number {
  switch (shape.kind) {
    case 'integer':
      return 0;
    case 'float':
      return 1;
    case 'atom':
      return 2;
    case 'tuple':
      return 3;
    case 'map':
      return 4;
    case 'list':
      return shape.elements.length === 0 ? 5 : 6;
    default:
      return 7;
  }
}

function compareNumbers(left: number | bigint, right: number | bigint): number {
  if (left < right) return -1;
  return left > right ? 1 : 0;
}

/** By code points, which is the order of the UTF-8 bytes; UTF-16 units alone would put U+FFFF after U+10000. */
function compareText(left: string, right: string): number {
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a !== b) {
      return Number(isSurrogate(a)) - Number(isSurrogate(b)) || a - b;
    }
  }
  return left.length - right.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

interface Bits {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

function bitsOf(shape: Shape): Bits {
  if (shape.kind === 'bitstring') return { bytes: shape.value.bytes, bits: shape.value.bitsInLastByte };
  const value = shape.kind === 'binary' ? shape.value : '';
  return { bytes: typeof value === 'string' ? utf8Bytes(value) : value, bits: 8 };
}

/** Bit by bit; a prefix comes first. Padding bits are zero, so whole bytes can be compared. */
function compareBits(left: Bits, right: Bits): number {
  const shared = Math.min(left.bytes.length, right.bytes.length);
  for (let i = 0; i < shared; i++) {
    const difference = (left.bytes[i] as number) - (right.bytes[i] as number);
    if (difference !== 0) return difference;
  }
  return left.bytes.length - right.bytes.length || left.bits - right.bits;
}
