/** Errors as psql prints them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StreamError } from '../../sql/base/error.ts';
import { caretLines, characterPosition, renderError } from '../../sql/caret.ts';
import { parseStatements } from '../../sql/parser.ts';

function rendered(sql: string): string {
  try {
    parseStatements(sql);
  } catch (error) {
    assert.ok(error instanceof StreamError);
    return renderError(error, sql);
  }
  throw new assert.AssertionError({ message: 'was accepted' });
}

describe('an error with its line', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    [
      'SELECT * FORM t',
      [
        'ERROR:  syntax error at or near "FORM"',
        'LINE 1: SELECT * FORM t',
        '                 ^',
        'HINT:  Did you mean FROM?',
      ],
    ],
    [
      'SELECT a,\n  b\nFROM t\nWHERE a = = 1',
      [
        'ERROR:  syntax error at or near "="',
        'LINE 4: WHERE a = = 1',
        '                  ^',
        'DETAIL:  Expected an expression.',
      ],
    ],
    [
      'SELECT 1 FROM',
      [
        'ERROR:  syntax error at end of input',
        'LINE 1: SELECT 1 FROM',
        '                     ^',
        'DETAIL:  Expected a name.',
      ],
    ],
    [
      'SELECT "ä", \'日本\' FORM t x',
      [
        'ERROR:  syntax error at or near "t"',
        'LINE 1: SELECT "ä", \'日本\' FORM t x',
        '                                ^',
        'HINT:  Did you mean FROM?',
      ],
    ],
    [
      "SELECT 'abc\ndef",
      [
        'ERROR:  unterminated quoted string at or near "\'abc\ndef"',
        "LINE 1: SELECT 'abc",
        '               ^',
      ],
    ],
  ];
  for (const [sql, lines] of cases) {
    it(JSON.stringify(sql), () => assert.equal(rendered(sql), lines.join('\n')));
  }

  it('of an error without a place is the message alone', () => {
    assert.equal(
      renderError(new StreamError('VIEW_UNKNOWN', 'no view "x"'), 'x'),
      'ERROR:  no view "x"',
    );
  });
});

describe('the caret', () => {
  /** The character above the caret. */
  const pointed = ([line, caret]: [string, string]): string => [...line][caret.length - 1] ?? 'end';

  it('counts tabs as one blank, wide characters as two, combining ones as none', () => {
    assert.deepEqual(caretLines('a\tb', 2), ['LINE 1: a b', '          ^']);
    assert.deepEqual(caretLines('日本x', 2), ['LINE 1: 日本x', '            ^']);
    assert.deepEqual(caretLines('e\u0301x', 2), ['LINE 1: e\u0301x', '         ^']);
    assert.deepEqual(caretLines('😀x', 2), ['LINE 1: 😀x', '          ^']);
  });

  it('knows every kind of line break', () => {
    assert.deepEqual(caretLines('a\r\nb\rc\nd', 7), ['LINE 4: d', '        ^']);
    assert.deepEqual(caretLines('a\nb', 1), ['LINE 1: a', '         ^']);
  });

  it('stays inside the text', () => {
    assert.deepEqual(caretLines('ab', 99), ['LINE 1: ab', '          ^']);
    assert.deepEqual(caretLines('', 0), ['LINE 1: ', '        ^']);
  });

  it('cuts a long line to the right, to the left, or on both sides', () => {
    const letters = Array.from({ length: 200 }, (_, index) =>
      String.fromCharCode(97 + (index % 26)),
    ).join('');
    for (const place of [0, 5, 55, 60, 100, 150, 195, 199]) {
      const [line, caret] = caretLines(letters, place);
      assert.ok(line.length <= 'LINE 1: '.length + 66, line);
      assert.equal(pointed([line, caret]), letters[place], `${place}`);
      assert.equal(line.startsWith('LINE 1: ...'), place > 50, line);
      assert.equal(line.endsWith('...'), place < 190, line);
    }
  });

  it('the position counts characters from 1, as PostgreSQL does', () => {
    assert.equal(characterPosition('abc', 0), 1);
    assert.equal(characterPosition('😀é x', 4), 4);
  });
});
