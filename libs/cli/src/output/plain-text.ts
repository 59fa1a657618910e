import stringWidth from 'string-width';

/**
 * What a terminal would obey instead of showing: control characters (Unicode's category Cc: C0, DEL, C1), and what turns the direction of
 * text or hides in it (Cf, line and paragraph separators). A key, an error or a payload may be anybody's.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text in one line, with what a terminal would obey shown as escapes. */
export function shown(text: string): string {
  return text.replace(UNSAFE, (character) => SHORT[character] ?? escapeOf(character));
}

/** Whether a text can be shown as it is. */
export function isSafe(text: string): boolean {
  return text.search(UNSAFE) === -1;
}

/** A text of several lines, each as {@link shown} gives it. */
export function shownLines(text: string): string[] {
  return text.split(/\r?\n/).map(shown);
}

/** JSON that is safe to print: JSON.stringify leaves DEL, C1 and the Unicode controls as they are. */
export function safeJson(json: string): string {
  return json.replace(UNSAFE, (character) => (character === '\n' ? character : escapeOf(character)));
}

/** Cells of a terminal that a text takes. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** The text in so many cells, cut with an ellipsis where it is longer. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += widthOf(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return width < 1 ? '' : `${kept}…`;
}

/** The text in lines of so many cells, broken at spaces where that is possible. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (widthOf(line) > width) {
      const part = cut(line, width + 1).slice(0, -1);
      if (part === '') break;
      lines.push(part);
      line = line.slice(part.length);
    }
  }
  return [...lines, line];
}

/** Unit by unit of UTF-16, as JSON writes it. */
function escapeOf(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');
}
