import { TermEncodeError } from './errors.js';
import { inspectTerm } from './inspect.js';
import { tooDeep, tooManyBytes, type ResolvedLimits } from './limits.js';
import { TermOrder } from './order.js';
import { shapeOf, type Pair, type Shape } from './shape.js';
import type { Term } from './term.js';
import { utf8Length } from './utf8.js';

/**
 * Refuses whatever is no term, so that encoding, hashing and comparing need not look again.
 *
 * Throws {@link TermEncodeError} and, for nesting, `TermTooLargeError`.
 */
export function checkTerm(value: unknown, limits: ResolvedLimits): asserts value is Term {
  new TermCheck(limits).visit(value, ROOT);
}

/** From a container to its member: an index, a string key, or one of the places below. Made into text for errors only. */
type Step = number | string | { readonly text: string };

/** Longest path in an error, in UTF-16 units: its middle is left out. */
const MAX_PATH = 200;

const ROOT: Step = { text: '$' };
const KEY: Step = { text: '.key()' };
const VALUE: Step = { text: '.value()' };
const TAIL: Step = { text: '.tail' };

class TermCheck {
  /** The containers around the value that is being visited, outermost first, and the step taken to reach each value. */
  private readonly ancestors: object[] = [];
  private readonly steps: Step[] = [];
  private readonly order = new TermOrder();
  private visited = 0;
  private readonly limits: ResolvedLimits;

  constructor(limits: ResolvedLimits) {
    this.limits = limits;
  }

  visit(value: unknown, step: Step): void {
    // Every term takes at least a byte. Counting ends walks through one array that occurs at 2^40 places, too.
    if (++this.visited > this.limits.maxBytes) throw tooManyBytes(this.limits.maxBytes);
    this.steps.push(step);
    const shape = shapeOf(value);
    if (shape === undefined) throw this.refusal(value);
    if (shape.kind === 'binary') this.visitBinary(shape.value);
    else if (shape.kind === 'bitstring') this.visitBitstring();
    else if (shape.kind === 'list' || shape.kind === 'tuple' || shape.kind === 'map') {
      this.enter(value as object);
      this.visitMembers(value as Term, shape);
      this.ancestors.pop();
    }
    this.steps.pop();
  }

  private enter(container: object): void {
    if (this.ancestors.includes(container)) {
      throw new TermEncodeError('cycle', this.path(), `The value at ${this.path()} contains itself: break the cycle.`);
    }
    if (this.ancestors.length === this.limits.maxDepth) throw tooDeep(this.limits.maxDepth, this.path());
    this.ancestors.push(container);
  }

  private visitMembers(container: Term, shape: Extract<Shape, { kind: 'list' | 'tuple' | 'map' }>): void {
    if (shape.kind === 'map') {
      this.visitPairs(container, shape.pairs);
      return;
    }
    // By index: `forEach` and `for…of` differ on holes, and a hole must be refused as undefined.
    for (let i = 0; i < shape.elements.length; i++) this.visit(shape.elements[i], i);
    if (shape.kind === 'list' && shape.tail !== undefined) this.visit(shape.tail, TAIL);
  }

  private visitPairs(map: Term, pairs: readonly Pair[]): void {
    let strings = 0;
    for (const [key, value] of pairs) {
      if (typeof key === 'string') strings++;
      this.visit(key, KEY);
      this.visit(value, typeof key === 'string' ? key : VALUE);
    }
    // Strings alone cannot repeat: a Map or an object holds each of them once.
    if (strings === pairs.length) return;
    const duplicate = this.order.findDuplicate(map, pairs);
    if (duplicate !== undefined) {
      throw new TermEncodeError(
        'duplicate_key',
        this.path(),
        `The map at ${this.path()} has two spellings of the key ${inspectTerm(duplicate.key)}: keep one.`,
      );
    }
  }

  private visitBinary(value: string | Uint8Array): void {
    if (typeof value === 'string' && utf8Length(value) < 0) throw loneSurrogate(this.path());
  }

  private visitBitstring(): void {
    if (!this.limits.bitstrings) {
      throw new TermEncodeError(
        'bitstring_refused',
        this.path(),
        `A bit string at ${this.path()} is no key by default: use whole bytes, or allow it with the limit bitstrings.`,
      );
    }
  }

  private refusal(value: unknown): TermEncodeError {
    const path = this.path();
    if (typeof value === 'number') {
      return new TermEncodeError('not_finite', path, `${value} at ${path} is no Erlang number: give a finite one.`);
    }
    return new TermEncodeError(
      'unsupported_type',
      path,
      `${describe(value)} at ${path} has no meaning as an Erlang term: give strings, bytes, numbers, booleans, null, ` +
        'arrays, plain objects, Maps or the Erlang classes.',
    );
  }

  private path(): string {
    const text = this.steps.map(stepText).join('');
    return text.length <= MAX_PATH ? text : `${text.slice(0, MAX_PATH / 2)}…${text.slice(-MAX_PATH / 2)}`;
  }
}

/** The error for text that UTF-8 cannot carry. */
export function loneSurrogate(path: string): TermEncodeError {
  return new TermEncodeError(
    'lone_surrogate',
    path,
    `The string at ${path} holds a lone surrogate, which UTF-8 cannot carry: use well-formed text, or a Uint8Array.`,
  );
}

function stepText(step: Step): string {
  if (typeof step === 'object') return step.text;
  if (typeof step === 'number') return `[${step}]`;
  return /^[A-Za-z_$][\w$]{0,63}$/.test(step) ? `.${step}` : `[${inspectTerm(step, 64)}]`;
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === undefined ? 'undefined' : `A ${typeof value}`;
  if (Object.getOwnPropertySymbols(value).length > 0) return 'An object with symbol keys';
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
  const name = prototype?.constructor?.name;
  return typeof name === 'string' && name !== '' ? `An instance of ${name}` : 'An object with a prototype';
}
