/** Operands of expressions (`c_expr` of PostgreSQL's grammar): everything but operators. */
import type { Expression, Identifier, QualifiedName } from './ast.ts';
import type { Token } from './lexer.ts';
import { parseCallAfterName } from './parser-call.ts';
import type { Cursor } from './parser-cursor.ts';
import { parseJsonCall } from './parser-json.ts';
import { parseKeywordCall } from './parser-keyword-call.ts';
import { columnName, identifierOf, isColumnName, isFunctionName, label } from './parser-name.ts';
import {
  afterRow,
  explicitRow,
  indirection,
  operandOf,
  parseParenthesized,
  queryInParentheses,
} from './parser-parenthesis.ts';
import { intervalFields, namedType, parseKeywordType, parseType } from './parser-type.ts';

/**
 * One operand.
 * @throws StreamError SQL_SYNTAX when no operand begins here.
 */
export function parsePrimary(cursor: Cursor): Expression {
  const token = cursor.token;
  const { start, end } = token;
  switch (token.kind) {
    case 'number':
      cursor.advance();
      return { kind: 'number', text: token.text, span: { start, end } };
    case 'string':
      cursor.advance();
      return { kind: 'string', value: token.text, span: { start, end } };
    case 'bit-string':
      cursor.advance();
      return { kind: 'bit-string', text: token.text, span: { start, end } };
    case 'parameter':
      cursor.advance();
      return indirection(cursor, {
        kind: 'parameter',
        index: Number(token.text),
        span: { start, end },
      });
    case 'operator':
      if (token.text !== '(') throw cursor.unexpected('an expression');
      return operandOf(cursor, parseParenthesized(cursor));
    case 'quoted':
      return nameOrCall(cursor);
    case 'word':
      return wordOperand(cursor, token);
    default:
      throw cursor.unexpected('an expression');
  }
}

function wordOperand(cursor: Cursor, token: Token): Expression {
  if (token.keyword === undefined) return nameOrCall(cursor);
  const constant = constantOf(cursor, token);
  if (constant !== undefined) return constant;
  const special =
    parseKeywordOperand(cursor, token) ?? parseKeywordCall(cursor) ?? parseJsonCall(cursor);
  if (special !== undefined) return special;
  const typed = parseTypedLiteral(cursor, token);
  if (typed !== undefined) return typed;
  if (token.keyword === 'reserved') throw cursor.unexpected('an expression');
  return nameOrCall(cursor);
}

function constantOf(cursor: Cursor, token: Token): Expression | undefined {
  const span = { start: token.start, end: token.end };
  switch (token.text) {
    case 'null':
      cursor.advance();
      return { kind: 'null', span };
    case 'true':
    case 'false':
      cursor.advance();
      return { kind: 'boolean', value: token.text === 'true', span };
    default:
      return undefined;
  }
}

function parseKeywordOperand(cursor: Cursor, token: Token): Expression | undefined {
  const start = token.start;
  const opens = cursor.symbolAhead(1, '(');
  switch (token.text) {
    case 'case':
      return parseCase(cursor);
    case 'cast': {
      cursor.advance();
      return parseCast(cursor, start, false);
    }
    case 'array':
      cursor.advance();
      return parseArray(cursor, start);
    case 'exists': {
      if (!opens) return undefined;
      cursor.advance();
      return { kind: 'exists', query: queryInParentheses(cursor), span: cursor.spanFrom(start) };
    }
    case 'row': {
      if (!opens) return undefined;
      cursor.advance();
      return afterRow(cursor, explicitRow(cursor, start));
    }
    case 'grouping': {
      if (!opens) return undefined;
      cursor.advance();
      const items = cursor.parenthesized(() => cursor.grammar.expression(cursor));
      return { kind: 'grouping', items, span: cursor.spanFrom(start) };
    }
    default:
      return undefined;
  }
}

function parseCase(cursor: Cursor): Expression {
  const start = cursor.start;
  cursor.expect('case');
  const operand = cursor.at('when') ? undefined : cursor.grammar.expression(cursor);
  const whens: { when: Expression; then: Expression }[] = [];
  do {
    cursor.expect('when');
    const when = cursor.grammar.expression(cursor);
    cursor.expect('then');
    // biome-ignore lint/suspicious/noThenProperty: SQL's word for it, and nobody awaits a syntax tree.
    whens.push({ when, then: cursor.grammar.expression(cursor) });
  } while (cursor.at('when'));
  const otherwise = cursor.accept('else') ? cursor.grammar.expression(cursor) : undefined;
  cursor.expect('end');
  return { kind: 'case', operand, whens, otherwise, span: cursor.spanFrom(start) };
}

/** `(x AS type)` after CAST or TRY_CAST. */
function parseCast(cursor: Cursor, start: number, isTry: boolean): Expression {
  cursor.expectSymbol('(');
  const operand = cursor.grammar.expression(cursor);
  cursor.expect('as');
  const type = parseType(cursor);
  cursor.expectSymbol(')');
  return { kind: 'cast', operand, type, try: isTry, span: cursor.spanFrom(start) };
}

function parseArray(cursor: Cursor, start: number): Expression {
  if (cursor.atSymbol('(')) {
    const query = queryInParentheses(cursor);
    return { kind: 'array-query', query, span: cursor.spanFrom(start) };
  }
  const items = arrayItems(cursor);
  return indirection(cursor, { kind: 'array', items, span: cursor.spanFrom(start) });
}

/** `[…]`, where an element that is itself `[…]` is a nested array. */
function arrayItems(cursor: Cursor): Expression[] {
  cursor.expectSymbol('[');
  if (cursor.acceptSymbol(']')) return [];
  const nested = cursor.atSymbol('[');
  const items = cursor.list((): Expression => {
    if (!nested) return cursor.grammar.expression(cursor);
    const start = cursor.start;
    const inner = cursor.nested(() => arrayItems(cursor));
    return { kind: 'array', items: inner, span: cursor.spanFrom(start) };
  });
  cursor.expectSymbol(']');
  return items;
}

/** `timestamp '…'`, `interval '1' day`, `numeric(10,2) '…'`: types that are keywords. */
function parseTypedLiteral(cursor: Cursor, token: Token): Expression | undefined {
  const next = cursor.peek(1);
  const begins =
    next.kind === 'string' ||
    (next.kind === 'operator' && next.text === '(' && token.keyword === 'column') ||
    (next.kind === 'word' && isTypeContinuation(cursor, next));
  if (!begins) return undefined;
  const start = token.start;
  const type = parseKeywordType(cursor);
  if (type === undefined) return undefined;
  const value = cursor.expectString();
  if (type.name !== 'interval' || type.modifiers.length > 0) {
    return { kind: 'typed-literal', type, value, span: cursor.spanFrom(start) };
  }
  const fields = intervalFields(cursor);
  const whole = { ...type, ...fields, span: { start, end: type.span.end } };
  return { kind: 'typed-literal', type: whole, value, span: cursor.spanFrom(start) };
}

const isTypeContinuation = (cursor: Cursor, next: Token): boolean =>
  ['varying', 'precision', 'character', 'char'].includes(next.text) ||
  (['with', 'without'].includes(next.text) && cursor.wordAhead(2, 'time'));

/** A column, `t.*`, a call, or a literal of a named type (`date '2024-01-01'`). */
function nameOrCall(cursor: Cursor): Expression {
  const start = cursor.start;
  const semantics = matchSemantics(cursor);
  if (semantics !== undefined) {
    cursor.advance();
    const name = identifierOf(cursor.advance());
    const call = parseCallAfterName(cursor, { parts: [name], span: name.span });
    return { ...call, semantics, span: cursor.spanFrom(start) };
  }
  const first = cursor.token;
  const next = cursor.peek(1);
  if (next.kind === 'string' && isFunctionName(first)) return namedTypeLiteral(cursor, start);
  if (next.kind === 'operator' && next.text === '(' && isFunctionName(first)) {
    const name = identifierOf(cursor.advance());
    if (name.name === 'try_cast' && !name.quoted) return parseCast(cursor, start, true);
    return callOrTypedLiteral(cursor, { parts: [name], span: name.span });
  }
  if (!isColumnName(first)) {
    if (isFunctionName(first)) cursor.advance();
    throw cursor.unexpected('an expression');
  }
  return dottedName(cursor, columnName(cursor));
}

/** `FINAL last(…)`, `RUNNING sum(…)`: whether a word is that, and not a name. */
function matchSemantics(cursor: Cursor): 'running' | 'final' | undefined {
  if (!isFunctionName(cursor.peek(1)) || !cursor.symbolAhead(2, '(')) return undefined;
  if (cursor.wordAhead(0, 'running')) return 'running';
  return cursor.wordAhead(0, 'final') ? 'final' : undefined;
}

function dottedName(cursor: Cursor, first: Identifier): Expression {
  const start = first.span.start;
  const parts = [first];
  while (cursor.symbolAhead(0, '.')) {
    cursor.advance();
    if (cursor.acceptSymbol('*')) {
      const end = cursor.peek(-2).start;
      const qualifier = { parts, span: { start, end } };
      if (cursor.atSymbol('.') || cursor.atSymbol('[')) {
        throw cursor.error('improper use of "*"', cursor.peek(-1));
      }
      return { kind: 'star', qualifier, span: cursor.spanFrom(start) };
    }
    parts.push(label(cursor));
  }
  const name: QualifiedName = { parts, span: cursor.spanFrom(start) };
  if (parts.length > 1) {
    if (cursor.symbolAhead(0, '(')) return callOrTypedLiteral(cursor, name);
    if (cursor.token.kind === 'string') {
      const type = namedType(name, []);
      const value = cursor.expectString();
      return { kind: 'typed-literal', type, value, span: cursor.spanFrom(start) };
    }
  }
  return indirection(cursor, { kind: 'column', name, span: name.span });
}

function namedTypeLiteral(cursor: Cursor, start: number): Expression {
  const type = parseType(cursor);
  const value = cursor.expectString();
  return { kind: 'typed-literal', type, value, span: cursor.spanFrom(start) };
}

/** A call, or a literal of a type with modifiers, which begins like one: `geometry(4326) '…'`. */
function callOrTypedLiteral(cursor: Cursor, name: QualifiedName): Expression {
  const call = parseCallAfterName(cursor, name);
  const isPlain = call.filter === undefined && call.over === undefined && call.args.length > 0;
  if (cursor.token.kind === 'string' && isPlain) {
    const modifiers = call.args.map(({ value }) => {
      if (value.kind !== 'number')
        throw cursor.unsupported('a type modifier that is no number', value.span);
      return Number(value.text);
    });
    const type = namedType(name, modifiers);
    const value = cursor.expectString();
    return { kind: 'typed-literal', type, value, span: cursor.spanFrom(name.span.start) };
  }
  // PostgreSQL wants parentheses here, `(f(x))[1]`; ksqlDB and Flink do not.
  return indirection(cursor, call);
}
