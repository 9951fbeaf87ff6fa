/** How the rows that a test found differ from those that it expected. */
import { alignedLines, type TableColumn } from '../repl/table.ts';

export type TextRow = readonly (string | null)[];

/** Longest list of rows that is printed. */
const SHOWN_ROWS_MAX = 50;

/**
 * @param isOrdered  rows are compared place by place, else as a multiset.
 * @returns lines with `-` for what is missing and `+` for what is too much; undefined when there is no difference.
 */
export function rowDifference(
  columns: readonly TableColumn[],
  expected: readonly TextRow[],
  found: readonly TextRow[],
  isOrdered: boolean,
): readonly string[] | undefined {
  const marked = isOrdered ? inPlaces(expected, found) : asMultisets(expected, found);
  if (marked === undefined) return undefined;
  const shown = marked.slice(0, SHOWN_ROWS_MAX);
  const table = {
    columns: [{ name: '', type: 'text' }, ...columns],
    rows: shown.map(({ mark, row }) => [mark, ...row]),
  };
  const lines = alignedLines(table, { nullText: 'NULL' });
  const left = marked.length - shown.length;
  if (left > 0) lines.push(`… ${left} more`);
  lines.push('(- expected, + found)');
  return lines;
}

interface Marked {
  readonly mark: string;
  readonly row: TextRow;
}

function keyOf(row: TextRow): string {
  return JSON.stringify(row);
}

function inPlaces(expected: readonly TextRow[], found: readonly TextRow[]): Marked[] | undefined {
  const rows: Marked[] = [];
  let isSame = true;
  for (let i = 0; i < Math.max(expected.length, found.length); i++) {
    const [wanted, got] = [expected[i], found[i]];
    if (wanted !== undefined && got !== undefined && keyOf(wanted) === keyOf(got)) {
      rows.push({ mark: ' ', row: got });
      continue;
    }
    isSame = false;
    if (wanted !== undefined) rows.push({ mark: '-', row: wanted });
    if (got !== undefined) rows.push({ mark: '+', row: got });
  }
  return isSame ? undefined : rows;
}

/** Rows that both have come first, then what is missing beside what is too much, in the order of their text. */
function asMultisets(
  expected: readonly TextRow[],
  found: readonly TextRow[],
): Marked[] | undefined {
  const left = new Map<string, number>();
  for (const row of expected) left.set(keyOf(row), (left.get(keyOf(row)) ?? 0) + 1);
  const common: Marked[] = [];
  const different: Marked[] = [];
  for (const row of found) {
    const count = left.get(keyOf(row)) ?? 0;
    if (count > 0) common.push({ mark: ' ', row });
    else different.push({ mark: '+', row });
    left.set(keyOf(row), Math.max(count - 1, 0));
  }
  for (const row of expected) {
    const count = left.get(keyOf(row)) ?? 0;
    if (count === 0) continue;
    left.set(keyOf(row), count - 1);
    different.push({ mark: '-', row });
  }
  if (different.length === 0) return undefined;
  return [...common, ...different.sort((a, b) => (keyOf(a.row) < keyOf(b.row) ? -1 : 1))];
}
