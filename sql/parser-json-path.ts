/**
 * JSON_EXISTS, JSON_VALUE and JSON_QUERY. What stands behind the path becomes named arguments of the call, by names that no
 * text can write: `passing x`, `returning` (a cast of NULL), `wrapper`, `quotes`, `on empty` and `on error` (their words),
 * `default on empty` and `default on error`.
 */
import type { Expression, FunctionArgument, FunctionCall } from './ast.ts';
import type { Token } from './lexer.ts';
import { callOf } from './parser-call.ts';
import type { Cursor } from './parser-cursor.ts';
import { identifierOf, label } from './parser-name.ts';
import { parseType } from './parser-type.ts';

export const pathFunctions: ReadonlySet<string> = new Set([
  'json_exists',
  'json_query',
  'json_value',
]);

/** `value, path [PASSING …] [RETURNING type] [wrapper] [quotes] [behaviour ON EMPTY] [behaviour ON ERROR]`. */
export function pathCall(cursor: Cursor, token: Token): FunctionCall {
  const value = cursor.grammar.expression(cursor);
  cursor.expectSymbol(',');
  const path = cursor.grammar.expression(cursor);
  const clauses: FunctionArgument[] = [];
  const add = (name: string, expression: Expression): void => {
    const { span } = expression;
    clauses.push({ name: { name, quoted: true, span }, value: expression });
  };
  if (cursor.accept('passing')) {
    cursor.list(() => {
      const passed = cursor.grammar.expression(cursor);
      cursor.expect('as');
      add(`passing ${label(cursor).name}`, passed);
    });
  }
  if (token.text !== 'json_exists' && cursor.accept('returning'))
    add('returning', returningType(cursor));
  if (token.text === 'json_query') {
    parseWrapper(cursor, add);
    parseQuotes(cursor, add);
  }
  parseBehaviours(cursor, token.text, add);
  cursor.expectSymbol(')');
  const span = cursor.spanFrom(token.start);
  const call = callOf({ ...identifierOf(token) }, [value, path], span);
  return { ...call, args: [...call.args, ...clauses] };
}

/** `type [FORMAT JSON]` as a cast of NULL. */
export function returningType(cursor: Cursor): Expression {
  const { start } = cursor;
  const type = parseType(cursor);
  if (cursor.accept('format')) cursor.expect('json');
  const span = cursor.spanFrom(start);
  return { kind: 'cast', operand: { kind: 'null', span }, type, try: false, span };
}

export type AddClause = (name: string, expression: Expression) => void;

const word = (cursor: Cursor, value: string, start: number): Expression => ({
  kind: 'string',
  value,
  span: cursor.spanFrom(start),
});

export function parseWrapper(cursor: Cursor, add: AddClause): void {
  const { start } = cursor;
  if (cursor.accept('without')) {
    cursor.accept('array');
    cursor.expect('wrapper');
    add('wrapper', word(cursor, 'without', start));
  } else if (cursor.accept('with')) {
    const kind = cursor.acceptOneOf('conditional', 'unconditional') ?? 'unconditional';
    cursor.accept('array');
    cursor.expect('wrapper');
    add('wrapper', word(cursor, kind, start));
  }
}

export function parseQuotes(cursor: Cursor, add: AddClause): void {
  const { start } = cursor;
  const kind = cursor.acceptOneOf('keep', 'omit');
  if (kind === undefined) return;
  cursor.expect('quotes');
  if (cursor.accept('on')) cursor.expect('scalar', 'string');
  add('quotes', word(cursor, kind, start));
}

const behaviours: Readonly<Record<string, readonly string[]>> = {
  json_exists: ['true', 'false', 'unknown', 'error'],
  json_value: ['null', 'error', 'default'],
  json_query: ['null', 'error', 'empty', 'default'],
};

/** ON EMPTY comes before ON ERROR, each once. */
export function parseBehaviours(cursor: Cursor, name: string, add: AddClause): void {
  const allowed = behaviours[name] ?? [];
  let isFirst = true;
  for (;;) {
    const { start } = cursor;
    const kind = cursor.acceptOneOf(...allowed);
    if (kind === undefined) return;
    let behaviour = kind;
    let fallback: Expression | undefined;
    if (kind === 'default') fallback = cursor.grammar.expression(cursor);
    if (kind === 'empty') behaviour = `empty ${cursor.acceptOneOf('array', 'object') ?? 'array'}`;
    cursor.expect('on');
    const when =
      isFirst && name !== 'json_exists'
        ? cursor.expectOneOf('empty', 'error')
        : cursor.expectOneOf('error');
    if (fallback === undefined) add(`on ${when}`, word(cursor, behaviour, start));
    else add(`default on ${when}`, fallback);
    if (when === 'error') return;
    isFirst = false;
  }
}
