/** Where statements end, and what an unfinished one waits for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { splitStatements } from '../../sql/statement-split.ts';

const split = (text: string): [string[], string | undefined, string] => {
  const { statements, rest, waitsFor } = splitStatements(text);
  return [
    statements.map(({ start, end }) => text.slice(start, end)),
    rest && text.slice(rest.start, rest.end),
    waitsFor,
  ];
};

describe('splitting a text into statements', () => {
  const cases: readonly (readonly [string, readonly string[], string | undefined, string])[] = [
    ['', [], undefined, 'nothing'],
    [' -- a; b\n ', [], undefined, 'nothing'],
    ['select 1;', ['select 1'], undefined, 'nothing'],
    ['select 1; ;; select 2 ;', ['select 1', 'select 2'], undefined, 'nothing'],
    ['select 1', [], 'select 1', 'semicolon'],
    ['select \';\' ";" $$;$$ /* ; */ -- ;\n;x', ['select \';\' ";" $$;$$'], 'x', 'semicolon'],
    ['select (1;', [], 'select (1;', 'parenthesis'],
    ['a; select (1, (2)', ['a'], 'select (1, (2)', 'parenthesis'],
    ["select 'abc;\n", [], "select 'abc;\n", 'quote'],
    ['select "abc', [], 'select "abc', 'quote'],
    ['select $$ a ;', [], 'select $$ a ;', 'quote'],
    ['select 1; /* x', ['select 1'], '/* x', 'comment'],
    ['select 1a; select 2;', ['select 1a', 'select 2'], undefined, 'nothing'],
    ['select 1) ; b;', ['select 1)', 'b'], undefined, 'nothing'],
  ];
  for (const [text, statements, rest, waitsFor] of cases) {
    it(JSON.stringify(text), () => assert.deepEqual(split(text), [statements, rest, waitsFor]));
  }
});
