/** What PostgreSQL skips between words: white space, comments, and semicolons before a statement. */
const GAP = /[ \t\n\r\f\v;]+|--[^\n\r]*/y;

/** Statements that would begin or end a transaction. `PREPARE TRANSACTION` takes it away from its session. */
const CONTROL = /^(BEGIN|START|COMMIT|END|ABORT|PREPARE TRANSACTION|ROLLBACK(?!( WORK| TRANSACTION)? TO( |$)))( |$)/;

/** Whether a statement would begin or end a transaction. It must be one statement: the extended protocol takes no other. */
export function controlsTransaction(sql: string): boolean {
  return CONTROL.test(firstWords(sql));
}

/** The first words of a statement, in capitals, each followed by at most one space. */
function firstWords(sql: string): string {
  let words = '';
  let at = 0;
  for (let count = 0; count < 4; count++) {
    at = skipGaps(sql, at);
    const [word] = /^[A-Za-z_]*/.exec(sql.slice(at, at + 100))!;
    if (word === '') break;
    words += `${words === '' ? '' : ' '}${word.toUpperCase()}`;
    at += word.length;
  }
  return words;
}

function skipGaps(sql: string, from: number): number {
  let at = from;
  for (;;) {
    GAP.lastIndex = at;
    if (GAP.test(sql)) at = GAP.lastIndex;
    else if (sql.startsWith('/*', at)) at = endOfComment(sql, at);
    else return at;
  }
}

/** Comments of SQL may stand in one another. */
function endOfComment(sql: string, from: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = from;
  for (let depth = 0, found = edge.exec(sql); found !== null; found = edge.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return sql.length;
}
