import { printable } from './text.js';

/** A heading and what stands under it. */
export type Column<Row> = readonly [heading: string, cell: (row: Row) => string | number | null | undefined];

/** Lines of a table with aligned columns; control characters of cells are dropped, line breaks become spaces. */
export function tableLines<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  const cells = rows.map((row) =>
    columns.map(([, cell]) => printable(String(cell(row) ?? '-')).replace(/\s*\n\s*/g, ' ') || '-'),
  );
  const lines = [columns.map(([heading]) => heading), ...cells];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) =>
    line
      .map((text, column) => text.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
}
