import { shapeOf, type Shape } from './shape.js';
import type { Term } from './term.js';

/** Default length of a printed term, in UTF-16 units. */
const DEFAULT_LENGTH = 200;

/**
 * A term as Elixir would print it, for logs and errors: `{"realm", :ok, [1, 2.0]}`, `%{"a" => 1}`, binaries that are
 * no text as `0x66e2893f`. At most `maxLength` characters (default 200); a longer text ends with `…`. Never throws for
 * a term, and prints a value that is none as `#type`.
 *
 * @publicApi
 */
export function inspectTerm(term: Term, maxLength: number = DEFAULT_LENGTH): string {
  const printer = new Printer(maxLength);
  printer.print(term);
  return printer.finish();
}

class Printer {
  private text = '';
  private readonly maxLength: number;

  constructor(maxLength: number) {
    this.maxLength = maxLength;
  }

  /** Every container prints at least one character before its members, so even a cycle ends at `maxLength`. */
  print(value: unknown): void {
    if (this.isFull()) return;
    const shape = shapeOf(value);
    this.text += shape === undefined ? unknownText(value) : '';
    if (shape !== undefined) this.printShape(shape);
  }

  finish(): string {
    return this.isFull()
      ? `${this.text.slice(0, Math.max(0, this.maxLength - 1)).replace(/[\uD800-\uDBFF]$/, '')}…`
      : this.text;
  }

  private isFull(): boolean {
    return this.text.length > this.maxLength;
  }

  private printShape(shape: Shape): void {
    switch (shape.kind) {
      case 'binary':
        this.text += this.binaryText(shape.value);
        break;
      case 'integer':
        this.text += integerText(shape.value, this.maxLength);
        break;
      case 'float':
        this.text += floatText(shape.value);
        break;
      case 'atom':
        this.text += atomText(shape.name);
        break;
      case 'tuple':
        this.printSeries('{', shape.elements, '}');
        break;
      case 'list':
        this.printSeries('[', shape.elements, shape.tail === undefined ? ']' : ' | ');
        if (shape.tail === undefined) break;
        this.print(shape.tail);
        this.text += ']';
        break;
      case 'map':
        this.printPairs(shape.pairs);
        break;
      case 'bitstring':
        this.text += `${this.binaryText(shape.value.bytes)}:${shape.value.bitsInLastByte}`;
        break;
    }
  }

  private printSeries(open: string, elements: readonly Term[], close: string): void {
    this.text += open;
    for (let i = 0; i < elements.length && !this.isFull(); i++) {
      if (i > 0) this.text += ', ';
      this.print(elements[i]);
    }
    this.text += close;
  }

  private printPairs(pairs: readonly (readonly [Term, Term])[]): void {
    this.text += '%{';
    for (let i = 0; i < pairs.length && !this.isFull(); i++) {
      if (i > 0) this.text += ', ';
      this.print(pairs[i]?.[0]);
      this.text += ' => ';
      this.print(pairs[i]?.[1]);
    }
    this.text += '}';
  }

  /** Only as much of a long binary as can be shown, and one more, so that it counts as cut. */
  private binaryText(value: string | Uint8Array): string {
    if (typeof value === 'string') return JSON.stringify(value.slice(0, this.maxLength + 1));
    return `0x${Buffer.from(value.subarray(0, this.maxLength + 1)).toString('hex')}`;
  }
}

/** Big integers in full only where they can fit: printing one in base 10 takes quadratic time. */
function integerText(value: number | bigint, maxLength: number): string {
  if (typeof value === 'number') return String(value + 0);
  const bits = BigInt.asIntN(4 * maxLength + 64, value) === value;
  return bits ? String(value) : `${value < 0n ? '-' : ''}#integer of more than ${4 * maxLength} bits`;
}

function floatText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function atomText(name: string): string {
  if (name === 'true' || name === 'false' || name === 'nil') return name;
  return /^[A-Za-z_][\w@]*[?!]?$/.test(name) ? `:${name}` : `:${JSON.stringify(name)}`;
}

function unknownText(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return `#${value === undefined ? 'undefined' : typeof value}`;
}
