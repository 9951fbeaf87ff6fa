import { displayWidth, printable } from './width.ts';

export interface TableColumn {
  readonly name: string;
  /** PostgreSQL's type name; decides the alignment. */
  readonly type: string;
}

export interface Table {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly (string | null)[])[];
}

export interface TableOptions {
  /** Text shown for NULL. */
  readonly nullText: string;
  readonly title?: string | undefined;
}

/** Types that psql aligns to the right. */
const numeric = /^(smallint|integer|bigint|real|double precision|numeric(\(.*\))?|oid)$/;

/** A table as psql's aligned format prints it, ended by `(n rows)` and an empty line. */
export function alignedTable(table: Table, options: TableOptions): string {
  const lines = alignedLines(table, options);
  const count = table.rows.length;
  lines.push(`(${count} ${count === 1 ? 'row' : 'rows'})`, '');
  return `${lines.join('\n')}\n`;
}

/** Title, header, rule and rows, without the row count. */
export function alignedLines(table: Table, options: TableOptions): string[] {
  const right = table.columns.map((column) => numeric.test(column.type));
  const cells = table.rows.map((row) =>
    table.columns.map((_, index) => cellLines(row[index] ?? null, options.nullText)),
  );
  const names = table.columns.map((column) => cellLines(column.name, ''));
  const widths = table.columns.map((_, index) =>
    Math.max(0, ...[names, ...cells].flatMap((row) => (row[index] ?? []).map(displayWidth))),
  );
  const rule = widths.map((width) => '-'.repeat(width + 2)).join('+') || '--';
  // A result without columns is its rule only, however many rows it has.
  const lines = widths.length === 0 ? [rule] : [...rowLines(names, widths, 'center', right), rule];
  if (widths.length === 0) cells.length = 0;
  for (const row of cells) lines.push(...rowLines(row, widths, 'by-type', right));
  if (options.title !== undefined) lines.unshift(centered(options.title, rule.length));
  return lines;
}

function centered(text: string, width: number): string {
  return ' '.repeat(Math.max(0, Math.floor((width - displayWidth(text)) / 2))) + text;
}

function cellLines(text: string | null, nullText: string): string[] {
  return (text ?? nullText).split('\n').map((line) => printable(expandTabs(line)));
}

/** Tabs reach to the next multiple of eight columns within their cell. */
function expandTabs(line: string): string {
  const [first = '', ...rest] = line.split('\t');
  return rest.reduce(
    (text, part) => `${text}${' '.repeat(8 - (displayWidth(text) % 8))}${part}`,
    first,
  );
}

/** One row over as many lines as its tallest cell; `+` marks a cell that goes on. */
function rowLines(
  row: readonly (readonly string[])[],
  widths: readonly number[],
  alignment: 'center' | 'by-type',
  right: readonly boolean[],
): string[] {
  const height = Math.max(1, ...row.map((cell) => cell.length));
  const last = row.length - 1;
  return Array.from({ length: height }, (_, line) => {
    const parts = row.map((cell, index) => {
      const text = cell[line] ?? '';
      const pad = (widths[index] ?? 0) - displayWidth(text);
      const goesOn = line < cell.length - 1;
      const left = leftPad(pad, alignment, right[index] === true);
      // psql leaves no blanks at the end of a data line.
      const fill = index === last && !goesOn && alignment === 'by-type' ? 0 : pad - left;
      const end = goesOn ? '+' : index === last && alignment === 'by-type' ? '' : ' ';
      return ` ${' '.repeat(left)}${text}${' '.repeat(fill)}${end}`;
    });
    return parts.join('|');
  });
}

function leftPad(pad: number, alignment: 'center' | 'by-type', right: boolean): number {
  if (alignment === 'center') return Math.floor(pad / 2);
  return right ? pad : 0;
}

/** Every row as a block of `name | value` lines, as psql's expanded format. */
export function expandedTable(table: Table, options: TableOptions): string {
  const lines = options.title === undefined ? [] : [options.title];
  if (table.rows.length === 0) return `${[...lines, '(0 rows)', ''].join('\n')}\n`;
  const names = table.columns.map((column) => printable(column.name));
  const nameWidth = Math.max(0, ...names.map(displayWidth));
  const rows = table.rows.map((row) =>
    names.map((_, index) => cellLines(row[index] ?? null, options.nullText)),
  );
  const valueWidth = Math.max(0, ...rows.flat(2).map(displayWidth));
  for (const [number, row] of rows.entries()) {
    lines.push(recordRule(number + 1, nameWidth, valueWidth));
    for (const [index, cell] of row.entries()) {
      for (const [line, text] of cell.entries()) {
        const name = line === 0 ? (names[index] ?? '') : '';
        const mark = line < cell.length - 1 ? '+' : '';
        const fill = ' '.repeat(nameWidth - displayWidth(name));
        const tail = mark === '' ? '' : `${' '.repeat(valueWidth - displayWidth(text))}${mark}`;
        lines.push(`${name}${fill} | ${text}${tail}`);
      }
    }
  }
  return `${lines.join('\n')}\n\n`;
}

function recordRule(number: number, nameWidth: number, valueWidth: number): string {
  const label = `-[ RECORD ${number} ]`;
  const left = nameWidth + 1;
  const right = valueWidth + 1;
  if (label.length <= left) return `${label.padEnd(left, '-')}+${'-'.repeat(right)}`;
  return label.padEnd(left + 1 + right, '-');
}
