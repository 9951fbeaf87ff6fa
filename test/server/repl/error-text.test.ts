import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorText } from '../../../server/repl/error-text.ts';

const place = (sql: string): string[] => {
  const position = Array.from(sql.slice(0, sql.indexOf('nope'))).length + 1;
  const error = { code: 'X', sqlstate: '42703', message: 'column "nope" does not exist', position };
  return errorText(error, sql).trimEnd().split('\n').slice(1);
};

/* Each expected text is what psql 15 prints for the same statement. */
describe('errors as psql prints them', () => {
  it('shows the line with a caret', () => {
    assert.deepEqual(place('select 1,\n 2 + nope, 3\nfrom t'), [
      'LINE 2:  2 + nope, 3',
      '             ^',
    ]);
    assert.deepEqual(place("select\t1,\t'日本日本',\tnope;"), [
      "LINE 1: select 1, '日本日本', nope;",
      '                              ^',
    ]);
  });

  it('cuts long lines around the place', () => {
    const cases: readonly (readonly [string, string])[] = [
      [
        'select nope, 1111111111111111111111111,2222222222222222222222222222222,33333333333333333333333,44444444444;',
        'LINE 1: select nope, 1111111111111111111111111,222222222222222222222...',
      ],
      [
        'select 1, 1111111111111111111111111,2222222222222222222222222222222,33333333333333333333333,44444444444,nope;',
        'LINE 1: ...222222222222222222,33333333333333333333333,44444444444,nope;',
      ],
      [
        'select 1, 1111111111111111111111111,22222222222222222, nope, 2222,4,4444444444444444444444444444444;',
        'LINE 1: ...t 1, 1111111111111111111111111,22222222222222222, nope, 2222...',
      ],
      [
        'select 1, 11111111111111111111111, 222222222222,     nope, 222;',
        'LINE 1: ...ect 1, 11111111111111111111111, 222222222222,     nope, 222;',
      ],
      [
        "select 1, '日本日本日本日本日本日本日本日本日本日本日本日本日本', nope, 'abc', '日本日本日本日本日本日本日本日本日本日本日本日本日本日本日本';",
        "LINE 1: ...本日本日本日本日本日本日本日本日本日本日本日本', nope, 'abc...",
      ],
    ];
    for (const [sql, line] of cases) {
      const [shown = '', caret = ''] = place(sql);
      assert.equal(shown, line);
      // Wide characters before the caret take two columns of the terminal.
      const before = shown.slice(0, shown.indexOf('nope'));
      const columns = Array.from(before).reduce((sum, c) => sum + (c > '\u2e80' ? 2 : 1), 0);
      assert.equal(caret.length - 1, columns);
    }
  });

  it('adds detail, hint and the place in a script', () => {
    const error = { code: 'X', sqlstate: '42601', message: 'bad', detail: 'why', hint: 'try' };
    assert.equal(
      errorText(error, '', 'f.sql:3: '),
      'f.sql:3: ERROR:  bad\nDETAIL:  why\nHINT:  try\n',
    );
  });
});
