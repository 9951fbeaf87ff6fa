/**
 * Operators, by precedence climbing (Pratt, "Top Down Operator Precedence", 1973) over the
 * precedence table of PostgreSQL's grammar. A rule that ends in an operand keeps its precedence
 * while the operand is read; a following operator of the same precedence ends it (left), or is an
 * error (comparisons, IS, LIKE and friends do not chain).
 */
import type { Expression, Query } from './ast.ts';
import { OPERATOR_CHARACTERS, type Token } from './lexer.ts';
import { callOf } from './parser-call.ts';
import type { Cursor } from './parser-cursor.ts';
import { qualifiedName } from './parser-name.ts';
import { parseParenthesized } from './parser-parenthesis.ts';
import { parsePrimary } from './parser-primary.ts';
import { parseType } from './parser-type.ts';
import { CHAIN_BALANCED_FROM, precedence, symbolPrecedence } from './precedence.ts';

const wordPrecedence: ReadonlyMap<string, number> = new Map([
  ['or', precedence.or],
  ['and', precedence.and],
  ['is', precedence.is],
  ['isnull', precedence.is],
  ['notnull', precedence.is],
  ['between', precedence.like],
  ['in', precedence.like],
  ['like', precedence.like],
  ['ilike', precedence.like],
  ['similar', precedence.like],
  ['not', precedence.like],
  ['operator', precedence.operator],
  ['at', precedence.at],
  ['collate', precedence.collate],
]);

const expectedAfterOperand: readonly string[] = [
  ...['AND', 'OR', 'IS', 'IN', 'LIKE', 'ILIKE', 'BETWEEN', 'SIMILAR', 'COLLATE', 'NOT'],
];

const negatable: ReadonlySet<string> = new Set(['between', 'in', 'like', 'ilike', 'similar']);

const isNonAssociative = (level: number): boolean =>
  level === precedence.is || level === precedence.comparison || level === precedence.like;

/** The precedence of the operator that `token` is after an operand; undefined when it is none. */
function infixPrecedence(cursor: Cursor, token: Token, restricted: boolean): number | undefined {
  if (token.kind === 'operator') {
    const known = symbolPrecedence.get(token.text);
    if (known !== undefined) return known;
    return isOperatorSymbol(token) ? precedence.operator : undefined;
  }
  if (token.kind !== 'word') return undefined;
  const known = wordPrecedence.get(token.text);
  if (known === undefined) return undefined;
  if (restricted && token.text !== 'is' && token.text !== 'operator') return undefined;
  const next = cursor.peek(1);
  if (token.text === 'not' && !(next.kind === 'word' && negatable.has(next.text))) return undefined;
  // SUBSTRING(x SIMILAR p ESCAPE e) is no operator.
  if (token.text === 'similar' && !cursor.wordAhead(1, 'to')) return undefined;
  if (token.text === 'operator' && !cursor.symbolAhead(1, '(')) return undefined;
  return known;
}

/** Whether the token is an operator that needs no entry in the tables: `||`, `->`, `@>`, `~`. */
const isOperatorSymbol = (token: Token): boolean =>
  token.kind === 'operator' &&
  OPERATOR_CHARACTERS.includes(token.text.charAt(0)) &&
  token.text !== '=>';

/** `a_expr`: stops before an operator that does not bind tighter than `minimum`. */
export function parseExpression(cursor: Cursor, minimum: number = precedence.none): Expression {
  return climb(cursor, minimum, false, undefined);
}

/** `b_expr`, where AND, OR, NOT, IN, LIKE and BETWEEN would be ambiguous. */
export function parseRestrictedExpression(cursor: Cursor): Expression {
  return climb(cursor, precedence.none, true, undefined);
}

/** Continues after an operand that the caller has read. */
export function parseExpressionFrom(cursor: Cursor, operand: Expression): Expression {
  return climb(cursor, precedence.none, false, operand);
}

function climb(
  cursor: Cursor,
  minimum: number,
  restricted: boolean,
  operand: Expression | undefined,
): Expression {
  cursor.enter();
  const start = operand?.span.start ?? cursor.start;
  const tallestBefore = cursor.height;
  if (operand === undefined) cursor.height = 0;
  let left = operand ?? parsePrefix(cursor, restricted);
  let height = cursor.height + 1;
  for (;;) {
    const token = cursor.token;
    const level = infixPrecedence(cursor, token, restricted);
    if (level === undefined || level < minimum) break;
    if (level === minimum) {
      if (isNonAssociative(level)) throw cursor.unexpected();
      break;
    }
    cursor.height = 0;
    left = parseInfix(cursor, left, start, level, restricted);
    height = Math.max(height, cursor.height) + 1;
    cursor.checkHeight(height);
  }
  cursor.recordMeant(expectedAfterOperand);
  cursor.height = Math.max(tallestBefore, height);
  cursor.leave();
  return left;
}

const operandAt = (cursor: Cursor, level: number, restricted: boolean): Expression =>
  climb(cursor, level, restricted, undefined);

function parsePrefix(cursor: Cursor, restricted: boolean): Expression {
  const token = cursor.token;
  const start = token.start;
  if (token.kind === 'operator' && token.text !== '(') {
    if (token.text === '-' || token.text === '+') {
      cursor.advance();
      const operand = operandAt(cursor, precedence.unaryMinus, restricted);
      return { kind: 'unary', op: token.text, operand, span: cursor.spanFrom(start) };
    }
    if (isOperatorSymbol(token) && !symbolPrecedence.has(token.text)) {
      cursor.advance();
      const operand = operandAt(cursor, precedence.operator, restricted);
      return { kind: 'unary', op: token.text, operand, span: cursor.spanFrom(start) };
    }
  }
  if (!restricted && token.kind === 'word' && token.text === 'not') {
    cursor.advance();
    const operand = operandAt(cursor, precedence.not, restricted);
    return { kind: 'not', operand, span: cursor.spanFrom(start) };
  }
  if (token.kind === 'word' && token.text === 'operator' && cursor.symbolAhead(1, '(')) {
    const op = qualifiedOperator(cursor);
    const operand = operandAt(cursor, precedence.operator, restricted);
    return { kind: 'unary', op, operand, span: cursor.spanFrom(start) };
  }
  return parsePrimary(cursor);
}

function parseInfix(
  cursor: Cursor,
  left: Expression,
  start: number,
  level: number,
  restricted: boolean,
): Expression {
  const token = cursor.token;
  if (token.kind === 'operator') {
    cursor.advance();
    if (token.text === '::') {
      const type = parseType(cursor);
      return { kind: 'cast', operand: left, type, try: false, span: cursor.spanFrom(start) };
    }
    if (token.text === '->*') {
      // ksqlDB's spelling of (row).*
      const field = { name: '*', quoted: false, span: { start: token.start, end: token.end } };
      return { kind: 'field', operand: left, field, span: cursor.spanFrom(start) };
    }
    return afterOperator(cursor, left, token.text, start, level, restricted);
  }
  switch (token.text) {
    case 'or':
    case 'and':
      return parseChain(cursor, left, token.text, start, level);
    case 'is':
      cursor.advance();
      return afterIs(cursor, left, start, restricted);
    case 'isnull':
    case 'notnull': {
      cursor.advance();
      const negated = token.text === 'notnull';
      return { kind: 'is', test: 'null', negated, operand: left, span: cursor.spanFrom(start) };
    }
    case 'operator': {
      const op = qualifiedOperator(cursor);
      return afterOperator(cursor, left, op, start, level, restricted);
    }
    case 'at':
      cursor.advance();
      return afterAt(cursor, left, start);
    case 'collate': {
      cursor.advance();
      const collation = qualifiedName(cursor);
      return { kind: 'collate', operand: left, collation, span: cursor.spanFrom(start) };
    }
    default:
      return parseMembership(cursor, left, start);
  }
}

/** `a OR b OR c …` (or AND): both are associative, also with NULLs. */
function parseChain(
  cursor: Cursor,
  first: Expression,
  kind: 'or' | 'and',
  start: number,
  level: number,
): Expression {
  const operands = [first];
  while (cursor.accept(kind)) operands.push(operandAt(cursor, level, false));
  const { length } = operands;
  if (length >= CHAIN_BALANCED_FROM) {
    cursor.height += Math.ceil(Math.log2(length));
    return balanced(kind, operands, 0, length);
  }
  cursor.height += length - 2;
  const { end } = cursor.spanFrom(start);
  return operands.reduce((left, right, index) => {
    const next = operands[index + 1];
    const span = { start, end: next === undefined ? end : right.span.end };
    return { kind, left, right, span };
  });
}

function balanced(
  kind: 'or' | 'and',
  operands: readonly Expression[],
  from: number,
  to: number,
): Expression {
  const middle = from + Math.ceil((to - from) / 2);
  const [only] = operands.slice(from, from + 1);
  if (to - from <= 1 && only !== undefined) return only;
  const left = balanced(kind, operands, from, middle);
  const right = balanced(kind, operands, middle, to);
  return { kind, left, right, span: { start: left.span.start, end: right.span.end } };
}

/** `[NOT] BETWEEN | IN | LIKE | ILIKE | SIMILAR TO`, with the cursor on the first of the words. */
function parseMembership(cursor: Cursor, left: Expression, start: number): Expression {
  const negated = cursor.accept('not');
  const word = cursor.expectOneOf('between', 'in', 'like', 'ilike', 'similar');
  if (word === 'between') return afterBetween(cursor, left, start, negated);
  if (word === 'in') return afterIn(cursor, left, start, negated);
  if (word === 'similar') cursor.expect('to');
  const quantifier = word === 'similar' ? undefined : quantifierOf(cursor);
  if (quantifier !== undefined) {
    const op = `${negated ? '!' : ''}~~${word === 'ilike' ? '*' : ''}`;
    return afterQuantifier(cursor, left, op, quantifier, start);
  }
  const pattern = operandAt(cursor, precedence.like, false);
  const escapedBy = cursor.accept('escape') ? operandAt(cursor, precedence.like, false) : undefined;
  return {
    kind: 'like',
    op: word,
    negated,
    operand: left,
    pattern,
    escape: escapedBy,
    span: cursor.spanFrom(start),
  };
}

function afterOperator(
  cursor: Cursor,
  left: Expression,
  op: string,
  start: number,
  level: number,
  restricted: boolean,
): Expression {
  const { start: from, end } = cursor.peek(-1);
  const quantifier = restricted ? undefined : quantifierOf(cursor);
  if (quantifier !== undefined) return afterQuantifier(cursor, left, op, quantifier, start);
  const right = operandAt(cursor, level, restricted);
  const opSpan = { start: from, end };
  return { kind: 'binary', op, opSpan, left, right, span: cursor.spanFrom(start) };
}

function quantifierOf(cursor: Cursor): 'any' | 'all' | undefined {
  const word = cursor.acceptOneOf('any', 'some', 'all');
  return word === 'some' ? 'any' : word;
}

function afterQuantifier(
  cursor: Cursor,
  operand: Expression,
  op: string,
  quantifier: 'any' | 'all',
  start: number,
): Expression {
  const inside = parseParenthesized(cursor);
  if (inside.kind === 'expressions' && inside.items.length > 1) {
    throw cursor.error('syntax error at or near ","', inside.comma ?? inside.span);
  }
  const [array] = inside.kind === 'expressions' ? inside.items : [];
  const right: { kind: 'query'; query: Query } | { kind: 'array'; array: Expression } =
    inside.kind === 'query'
      ? { kind: 'query', query: inside.query }
      : { kind: 'array', array: array ?? { kind: 'null', span: inside.span } };
  return { kind: 'quantified', op, quantifier, operand, right, span: cursor.spanFrom(start) };
}

/** `OPERATOR(pg_catalog.+)`, written with or without its schema. */
function qualifiedOperator(cursor: Cursor): string {
  cursor.expect('operator');
  cursor.expectSymbol('(');
  while (cursor.symbolAhead(1, '.')) {
    const schema = cursor.advance();
    if (schema.text !== 'pg_catalog') {
      throw cursor.unsupported('an operator outside pg_catalog', schema);
    }
    cursor.advance();
  }
  const token = cursor.token;
  if (!isOperatorSymbol(token)) throw cursor.unexpected('an operator');
  cursor.advance();
  cursor.expectSymbol(')');
  return token.text;
}

const isTests: ReadonlySet<string> = new Set(['null', 'true', 'false', 'unknown', 'document']);
const normalForms = ['nfc', 'nfd', 'nfkc', 'nfkd'] as const;

function afterIs(cursor: Cursor, left: Expression, start: number, restricted: boolean): Expression {
  const negated = cursor.accept('not');
  if (cursor.acceptWords('distinct')) {
    cursor.expect('from');
    const right = operandAt(cursor, precedence.is, restricted);
    return { kind: 'is-distinct', negated, left, right, span: cursor.spanFrom(start) };
  }
  if (restricted && !cursor.at('document')) throw cursor.unexpected();
  const word = cursor.acceptOneOf('null', 'true', 'false', 'unknown', 'document');
  if (word !== undefined && isTests.has(word)) {
    return { kind: 'is', test: word, negated, operand: left, span: cursor.spanFrom(start) };
  }
  if (cursor.accept('json')) {
    const detail = jsonTest(cursor);
    const span = cursor.spanFrom(start);
    return { kind: 'is', test: 'json', negated, operand: left, detail, span };
  }
  const form = cursor.acceptOneOf(...normalForms);
  cursor.expect('normalized');
  const span = cursor.spanFrom(start);
  return { kind: 'is', test: 'normalized', negated, operand: left, detail: form, span };
}

/** `[VALUE | SCALAR | ARRAY | OBJECT] [WITH | WITHOUT UNIQUE [KEYS]]` after IS JSON. */
function jsonTest(cursor: Cursor): string | undefined {
  const type = cursor.acceptOneOf('value', 'scalar', 'array', 'object');
  let unique: string | undefined;
  if (cursor.atWords('with', 'unique') || cursor.atWords('without', 'unique')) {
    unique = cursor.at('with') ? 'with unique' : undefined;
    cursor.advance();
    cursor.expect('unique');
    cursor.accept('keys');
  }
  const words = [type === 'value' ? undefined : type, unique].filter((word) => word !== undefined);
  return words.length === 0 ? undefined : words.join(' ');
}

function afterAt(cursor: Cursor, left: Expression, start: number): Expression {
  if (cursor.accept('local')) {
    // In the session's time zone.
    return callOf('timezone', [left], cursor.spanFrom(start));
  }
  cursor.expect('time', 'zone');
  const zone = operandAt(cursor, precedence.at, false);
  return { kind: 'at-time-zone', operand: left, zone, span: cursor.spanFrom(start) };
}

function afterBetween(
  cursor: Cursor,
  operand: Expression,
  start: number,
  negated: boolean,
): Expression {
  const symmetric = cursor.accept('symmetric');
  if (!symmetric) cursor.accept('asymmetric');
  const low = parseRestrictedExpression(cursor);
  cursor.expect('and');
  const high = operandAt(cursor, precedence.like, false);
  const span = cursor.spanFrom(start);
  return { kind: 'between', negated, symmetric, operand, low, high, span };
}

function afterIn(cursor: Cursor, operand: Expression, start: number, negated: boolean): Expression {
  const inside = parseParenthesized(cursor);
  const span = cursor.spanFrom(start);
  if (inside.kind === 'query') {
    return { kind: 'in-query', negated, operand, query: inside.query, span };
  }
  return { kind: 'in-list', negated, operand, items: inside.items, span };
}
