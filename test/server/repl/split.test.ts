import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type SplitState, splitStatements } from '../../../server/repl/split.ts';

const statements = (text: string): string[] =>
  splitStatements(text, false).parts.map((part) => part.text);
const state = (text: string): SplitState => splitStatements(text, true).state;

describe('statements of a text', () => {
  it('ends them at semicolons', () => {
    assert.deepEqual(statements('select 1; select 2 ;\n;; select 3'), ['select 1', 'select 2']);
    assert.equal(splitStatements('select 1; select 3 ', false).rest, 'select 3 ');
    assert.deepEqual(statements('select 1a; select 2;'), ['select 1a', 'select 2']);
    assert.deepEqual(statements('select 1) ; b;'), ['select 1)', 'b']);
    assert.deepEqual(statements(' -- a; b\n '), []);
  });

  it('passes over quotes, dollar quotes, comments and parentheses', () => {
    const whole = [
      "select 'a;''b;'",
      'select ";"";"',
      "select E'\\';'",
      "select e'\\\\'",
      'select $$;$$',
      'select $a$ ; $$ ; $a$',
      'select a$b$c',
      'select 1 -- x;\n+ 2',
      'select 1 /* ; /* ; */ ; */ + 2',
      'create table t (a int; b int)',
      "select fee'\\'",
    ];
    for (const text of whole) assert.deepEqual(statements(`${text};`), [text], text);
  });

  it('takes the rows of COPY … FROM STDIN with their statement', () => {
    const text =
      'copy t (a) from stdin; -- rest\n1;\n\'\n\\.\nselect 2;copy "from stdin" to stdout;\n';
    assert.deepEqual(
      splitStatements(text, true).parts.map((part) => [part.text, 'data' in part && part.data]),
      [
        ['copy t (a) from stdin', "1;\n'\n"],
        ['select 2', false],
        ['copy "from stdin" to stdout', false],
      ],
    );
    assert.equal(state('copy t from stdin;\n1\n'), 'copy');
    assert.equal(state('copy t from stdin;\r\n1\r\n\\.\r\n'), 'empty');
  });

  it('knows in what a text breaks off', () => {
    const states: readonly (readonly [string, SplitState])[] = [
      ['', 'empty'],
      ['  -- nothing', 'empty'],
      ['select 1;', 'empty'],
      ['select', 'statement'],
      ["select 'a", 'quote'],
      ['select "a', 'identifier'],
      ['select $$a', 'dollar'],
      ['/* x', 'comment'],
      ['select (1', 'parenthesis'],
      ['select (1;', 'parenthesis'],
      ['a; select (1, (2)', 'parenthesis'],
      ['select 1; /* x', 'comment'],
    ];
    for (const [text, expected] of states) assert.equal(state(text), expected, text);
  });

  it('cuts at backslash commands and hands them the open statement', () => {
    const { parts, rest } = splitStatements('select 1 \\watch 2\n\\d "x y"\nselect \'\\n\'', true);
    assert.deepEqual(parts, [
      { kind: 'command', text: '\\watch 2', pending: 'select 1' },
      { kind: 'command', text: '\\d "x y"', pending: '' },
    ]);
    assert.equal(rest, "select '\\n'");
  });

  it('knows the line of each statement', () => {
    const { parts, restLine } = splitStatements('select 1;\n\n-- c\n  select\n2;\nselect', false);
    assert.deepEqual(
      parts.map((part) => part.kind === 'statement' && part.line),
      [1, 4],
    );
    assert.equal(restLine, 6);
  });

  it('keeps a comment in front of an open statement out of it', () => {
    assert.equal(splitStatements('/* open', true).rest, '/* open');
    assert.equal(splitStatements('-- done\n', true).rest, '');
  });
});
