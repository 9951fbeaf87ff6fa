import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LiveRows } from '../../../server/repl/live.ts';
import { timeText } from '../../../server/repl/shell.ts';
import { alignedTable, expandedTable, type Table } from '../../../server/repl/table.ts';
import { clip, displayWidth, printable } from '../../../server/repl/width.ts';

const table = (columns: readonly string[], ...rows: (string | null)[][]): Table => ({
  columns: columns.map((column) => {
    const [name = '', type = 'text'] = column.split(':');
    return { name, type };
  }),
  rows,
});
const aligned = (value: Table): string => alignedTable(value, { nullText: '' });
const expanded = (value: Table): string => expandedTable(value, { nullText: '' });

/* Each expected text is what psql 15 prints for the same rows. */
describe('tables as psql prints them', () => {
  it('aligns numbers right, text left, names in the middle', () => {
    const rows = table(['a:integer', 'bcd', 'n', 'num:numeric'], ['1', 'x', null, '2.50']);
    assert.equal(
      aligned(rows),
      ' a | bcd | n | num  \n---+-----+---+------\n 1 | x   |   | 2.50\n(1 row)\n\n',
    );
  });

  it('breaks cells of several lines', () => {
    const rows = table(['multi', 'q:integer', 'é'], ['a\nbb', '10', 'z']);
    assert.equal(
      aligned(rows),
      ' multi | q  | é \n-------+----+---\n a    +| 10 | z\n bb    |    | \n(1 row)\n\n',
    );
  });

  it('counts wide characters as two columns', () => {
    const rows = table(['w', 'y'], ['日本', 'x'], ['abc', 'd']);
    assert.equal(aligned(rows), '  w   | y \n------+---\n 日本 | x\n abc  | d\n(2 rows)\n\n');
    assert.equal(displayWidth('e\u0301'), 1);
    assert.equal(clip('日本', 3), '日');
  });

  it('expands tabs and shows control characters harmlessly', () => {
    const rows = table(['t', 'b'], ['a\tb\u0001c', 't']);
    assert.equal(
      aligned(rows),
      '       t        | b \n----------------+---\n a       b\\x01c | t\n(1 row)\n\n',
    );
    assert.equal(printable('\u001b[2J'), '\\x1b[2J');
  });

  it('prints results without rows or columns', () => {
    assert.equal(aligned(table(['a:integer'])), ' a \n---\n(0 rows)\n\n');
    assert.equal(aligned(table([], [])), '--\n(1 row)\n\n');
    assert.equal(aligned(table([])), '--\n(0 rows)\n\n');
    assert.equal(expanded(table(['a'])), '(0 rows)\n\n');
  });

  it('expands rows to records', () => {
    assert.equal(
      expanded(table(['a', 'longername'], ['1', 'multi\nline'])),
      '-[ RECORD 1 ]-----\na          | 1\nlongername | multi+\n           | line\n\n',
    );
    assert.equal(
      expanded(table(['x', 'y'], ['a\nb', '1'])),
      '-[ RECORD 1 ]\nx | a+\n  | b\ny | 1\n\n',
    );
    const long = 'abcdefghijklmnopqrstuvwxyz';
    assert.equal(
      expanded(table([long, 'b'], ['1', 'a'], ['2', 'bb'])),
      `-[ RECORD 1 ]--------------+---\n${long} | 1\nb                          | a\n` +
        `-[ RECORD 2 ]--------------+---\n${long} | 2\nb                          | bb\n\n`,
    );
  });

  it('tells long times in minutes too', () => {
    assert.equal(timeText(12.3456), '12.346 ms');
    assert.equal(timeText(65_432.1), '65432.100 ms (01:05.432)');
  });
});

describe('rows of a live table', () => {
  it('keeps an updated row at its place and counts doubled rows', () => {
    const rows = new LiveRows();
    rows.apply({ kind: 'snapshot', rows: [['1'], ['2'], ['2']], last: true });
    rows.apply({ kind: 'change', op: 'update', before: ['1'], row: ['9'], last: false });
    rows.apply({ kind: 'change', op: 'insert', row: ['3'], last: false });
    rows.apply({ kind: 'change', op: 'delete', row: ['2'], last: true });
    assert.deepEqual(rows.newest(10), [['9'], ['2'], ['3']]);
    assert.deepEqual(rows.newest(1), [['3']]);
  });

  it('keeps a bounded number and still knows the count', () => {
    const rows = new LiveRows();
    const many = Array.from({ length: 6000 }, (_, index) => [String(index)]);
    rows.apply({ kind: 'snapshot', rows: many, last: true });
    assert.equal(rows.count, 6000);
    assert.equal(rows.newest(10_000).length, 5000);
    rows.apply({ kind: 'change', op: 'delete', row: ['0'], last: true });
    assert.equal(rows.count, 5999);
  });
});
