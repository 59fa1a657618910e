import type { ComponentChildren } from 'preact';

export interface Column<Row> {
  readonly head: string;
  readonly numeric?: boolean;
  /** Left out where there is little room. */
  readonly wide?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

interface Props<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly empty: string;
  readonly id: (row: Row) => string | number;
}

/** Rows with a caption that is read aloud; the first cell of each names it. */
export function Table<Row>({ caption, columns, rows, empty, id }: Props<Row>) {
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  const classOf = ({ numeric, wide }: Column<Row>): string =>
    `${numeric === true ? 'num' : ''} ${wide === true ? 'wide' : ''}`;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class="sr">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.head} scope="col" class={classOf(column)}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)}>
              {columns.map((column, index) =>
                index === 0 ? (
                  <th key={column.head} scope="row">
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.head} class={classOf(column)}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
