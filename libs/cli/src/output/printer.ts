import { Paint } from './paint.js';
import { safeJson, shownLines, wrapped } from './plain-text.js';
import { table, type Column, type Detail } from './table.js';
import type { Terminal } from './terminal.js';

/** What an error begins with. */
const NAME = 'mississippi:';

/** What a command prints: text for people, or one JSON document. */
export class Printer {
  readonly paint: Paint;
  private readonly notes: Paint;

  constructor(
    private readonly terminal: Terminal,
    readonly json: boolean,
  ) {
    this.paint = new Paint(terminal.out.colours);
    this.notes = new Paint(terminal.err.colours);
  }

  get columns(): number {
    return this.terminal.out.columns;
  }

  /** The answer: as JSON where that was asked for, else as lines, which are safe to print already. */
  answer(document: unknown, lines: () => readonly string[]): void {
    const text = this.json ? safeJson(JSON.stringify(document, asJson, 2)) : lines().join('\n');
    if (text !== '') this.terminal.out.write(`${text}\n`);
  }

  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], detail?: Detail<Row>): string[] {
    return table(rows, columns, { columns: this.columns, paint: this.paint }, detail);
  }

  title(text: string): string {
    return this.paint.bold(text);
  }

  /** What is no part of the answer: for people, beside it. */
  note(text: string): void {
    if (!this.json) this.terminal.err.write(`${shownLines(text).join('\n')}\n`);
  }

  error(error: { readonly code: string; readonly message: string }, exitCode: number): void {
    const { code, message } = error;
    if (this.json) {
      this.terminal.err.write(`${safeJson(JSON.stringify({ error: { code, message, exitCode } }))}\n`);
      return;
    }
    const [first = '', ...more] = shownLines(`${NAME} ${message}`).flatMap((line) =>
      wrapped(line, this.terminal.err.columns),
    );
    const lines = [first.replace(NAME, this.notes.red(NAME)), ...more];
    this.terminal.err.write(`${lines.join('\n')}\n`);
  }
}

/** Numbers beyond JSON's, and bytes. */
function asJson(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map) return [...value];
  return isBuffer(value) ? Buffer.from(value.data).toString('base64') : value;
}

/** `JSON.stringify` has called a buffer's own `toJSON` before. */
function isBuffer(value: unknown): value is { readonly data: number[] } {
  return (
    typeof value === 'object' &&
    value !== null &&
    Reflect.get(value, 'type') === 'Buffer' &&
    Array.isArray(Reflect.get(value, 'data'))
  );
}
