/** Tokens: PostgreSQL's own scanner is the judge of where they begin and end. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { loadModule, scanSync } from 'libpg-query';
import { isBareLabel, keywords } from '../../sql/keyword.ts';
import { type Token, tokenize } from '../../sql/lexer.ts';
import { readCorpus, readLines } from './corpus.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 100) * 20;

/** Everything but the end. */
const tokensOf = (sql: string): readonly Token[] =>
  tokenize(sql).filter(({ kind }) => kind !== 'end');

const texts = (sql: string): string[] => tokensOf(sql).map(({ kind, text }) => `${kind} ${text}`);

const errorOf = (sql: string): string | undefined =>
  tokenize(sql).find(({ kind }) => kind === 'error')?.error?.message;

describe('tokens', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    [
      'SELECT Foo "Foo" `a ``b` ÄÖ _x$1',
      ['word select', 'word foo', 'quoted Foo', 'quoted a `b', 'word ÄÖ', 'word _x$1'],
    ],
    [
      `U&"d\\0061t\\+000061" U&"d!0061" UESCAPE '!' U&'x'`,
      ['quoted data', 'quoted da', 'string x'],
    ],
    ["'it''s' '' 'a'\n'b' 'c' -- x\n  'd'", ["string it's", 'string ', 'string ab', 'string cd']],
    ["'a' 'b'", ['string a', 'string b']],
    [
      `E'a\\n\\t\\\\\\'\\x41\\101\\u00e9\\U0001F600\\ud83d\\ude00\\q' e'\\xc3\\xa9'`,
      ["string a\n\t\\'AAé😀😀q", 'string é'],
    ],
    [
      '$$a $b$ c$$ $x$a $$ b$x$ $1 $23',
      ['string a $b$ c', 'string a $$ b', 'parameter 1', 'parameter 23'],
    ],
    [
      '1 1_000 0xFF 0o17 0b101 1.5 .5 5. 1e3 1.5E-3 1_0.0_1',
      [
        'number 1',
        'number 1000',
        'number 255',
        'number 15',
        'number 5',
        'number 1.5',
        'number .5',
        'number 5.',
        'number 1e3',
        'number 1.5E-3',
        'number 10.01',
      ],
    ],
    [
      '1..2 a.b 1.2.3',
      [
        'number 1',
        'operator ..',
        'number 2',
        'word a',
        'operator .',
        'word b',
        'number 1.2',
        'number .3',
      ],
    ],
    ["B'10' x'1fF' N'a'", ['bit-string b10', 'bit-string x1fF', 'word nchar', 'string a']],
    [
      'a+-b a@-b a=-1 a<>-1 a->>-1 a!=b *-/',
      [
        'word a',
        'operator +',
        'operator -',
        'word b',
        'word a',
        'operator @-',
        'word b',
        'word a',
        'operator =',
        'operator -',
        'number 1',
        'word a',
        'operator <>',
        'operator -',
        'number 1',
        'word a',
        'operator ->>',
        'operator -',
        'number 1',
        'word a',
        'operator <>',
        'word b',
        'operator *-/',
      ],
    ],
    ['a--x\nb/*c/*d*/e*/f', ['word a', 'word b', 'word f']],
    ['a+--x\n+/**/b', ['word a', 'operator +', 'operator +', 'word b']],
    [
      '(a[1:2],b)::c:=d=>e->f;',
      [
        'operator (',
        'word a',
        'operator [',
        'number 1',
        'operator :',
        'number 2',
        'operator ]',
        'operator ,',
        'word b',
        'operator )',
        'operator ::',
        'word c',
        'operator :=',
        'word d',
        'operator =>',
        'word e',
        'operator ->',
        'word f',
        'operator ;',
      ],
    ],
    ['{ } $ \\', ['operator {', 'operator }', 'operator $', 'operator \\']],
  ];
  for (const [sql, expected] of cases) {
    it(sql, () => assert.deepEqual(texts(sql), expected));
  }

  it('have spans in UTF-16 code units of the text', () => {
    const sql = 'é \'😀\' "x" /* c */ 12';
    assert.deepEqual(
      tokensOf(sql).map(({ start, end }) => sql.slice(start, end)),
      ['é', "'😀'", '"x"', '12'],
    );
  });

  it('classes of keywords', () => {
    const classes = tokensOf('select left value coalesce stream kafka "select"').map(
      ({ keyword }) => keyword,
    );
    assert.deepEqual(classes, [
      'reserved',
      'function',
      'unreserved',
      'column',
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('mistakes end the tokens and keep their place', () => {
  const cases: readonly (readonly [string, string])[] = [
    ["a 'b", `unterminated quoted string at or near "'b"`],
    ['a "b', 'unterminated quoted identifier at or near ""b"'],
    ['a `b', 'unterminated quoted identifier at or near "`b"'],
    ['""', 'zero-length delimited identifier at or near """"'],
    ['a /* b /* */', 'unterminated /* comment at or near "/* b /* */"'],
    ['$a$ $', 'unterminated dollar-quoted string at or near "$a$ $"'],
    ["B'1", `unterminated bit string literal at or near "B'1"`],
    ["X'1", `unterminated hexadecimal string literal at or near "X'1"`],
    ['1a', 'trailing junk after numeric literal at or near "1a"'],
    ['1.5e+', 'trailing junk after numeric literal at or near "1.5e+"'],
    ['0x', 'invalid hexadecimal integer at or near "0x"'],
    ['0xg', 'trailing junk after numeric literal at or near "0xg"'],
    ["E'\\u12'", 'invalid Unicode escape'],
    ["E'\\0'", 'invalid byte sequence for encoding "UTF8": 0x00'],
  ];
  for (const [sql, message] of cases) {
    it(sql, () => assert.equal(errorOf(sql), message));
  }

  it('unfinished quotes and comments are told from mistakes', () => {
    const unfinished = (sql: string): boolean | undefined => tokenize(sql).at(-1)?.unterminated;
    assert.deepEqual(["'a", '"a', '/*', '$$a'].map(unfinished), [true, true, true, true]);
    assert.deepEqual(['1a', "E'\\u1'"].map(unfinished), [false, false]);
  });
});

/** Their tokens without comments, with U&… and UESCAPE as the one token that we make of them. */
function theirBounds(sql: string): string[] {
  const { tokens } = scanSync(sql);
  return tokens
    .filter(({ tokenName }) => !tokenName.endsWith('COMMENT'))
    .map(({ start, end }) => Buffer.from(sql).subarray(start, end).toString());
}

/** N'…' is two tokens, of which the scanner shows the first one's place as one character. */
const ourBounds = (sql: string): string[] =>
  tokensOf(sql).map(({ start, end }) => sql.slice(start, end));

describe("PostgreSQL's scanner finds the same tokens", () => {
  before(loadModule);

  it('in the corpus', () => {
    for (const sql of readCorpus('shared.sql')) {
      if (/uescape/i.test(sql)) continue;
      assert.deepEqual(ourBounds(sql), theirBounds(sql), sql);
    }
  });

  it(`in ${runs} random texts`, () => {
    const pieces = [
      ...['+', '-', '*', '/', '<', '>', '=', '~', '!', '@', '#', '%', '^', '&', '|', '?', '.', ':'],
      ...[
        ',',
        ';',
        '(',
        ')',
        '[',
        ']',
        ' ',
        '\n',
        '--',
        '/*',
        '*/',
        '1',
        '23',
        '0x1',
        '_',
        'a',
        'E',
      ],
      ...["'", '"', "''", '$$', '$1', '1e', 'é', 'select', 'N', 'b', 'x', '\t', '\\'],
    ];
    const text = fc
      .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 12 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (sql) => {
        const ours = tokenize(sql);
        let theirs: string[];
        try {
          theirs = theirBounds(sql);
        } catch {
          assert.equal(ours.at(-1)?.kind, 'error', 'PostgreSQL cannot scan it');
          return;
        }
        const last = ours.at(-1);
        // What PostgreSQL's scanner leaves to later stages, and what libpg-query adds for itself.
        const stricter = /invalid digit|trailing junk after parameter|byte sequence/;
        if (last?.kind === 'error' && stricter.test(last.error?.message ?? '')) return;
        assert.equal(last?.kind, 'end', `${last?.error?.message}`);
        assert.deepEqual(ourBounds(sql), theirs);
      }),
      { numRuns: runs },
    );
  });
});

describe('keywords', () => {
  before(loadModule);

  const kinds = {
    unreserved: 'UNRESERVED_KEYWORD',
    column: 'COL_NAME_KEYWORD',
    function: 'TYPE_FUNC_NAME_KEYWORD',
    reserved: 'RESERVED_KEYWORD',
  } as const;

  it("have PostgreSQL's classes", () => {
    for (const { word, class: own } of keywords.values()) {
      assert.equal(scanSync(word).tokens[0]?.keywordName, kinds[own], word);
    }
  });

  it("lack none of PostgreSQL's that the corpus uses", () => {
    const words =
      [...readCorpus('shared.sql'), ...readLines('refused.sql')].join(' ').match(/[a-z_]+/gi) ?? [];
    for (const word of new Set(words.map((each) => each.toLowerCase()))) {
      const isKeyword = scanSync(word).tokens[0]?.keywordName !== 'NO_KEYWORD';
      assert.equal(keywords.has(word), isKeyword, word);
    }
  });

  it('that need AS before them as a label', () => {
    assert.deepEqual(['over', 'day', 'value', 'kafka', 'select'].map(isBareLabel), [
      false,
      false,
      true,
      true,
      true,
    ]);
  });
});
