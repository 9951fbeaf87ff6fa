/**
 * SQL/JSON's constructors and aggregates with syntax of their own. What stands behind their values becomes named arguments, by
 * names that no text can write: `on null` (always there but in JSON, JSON_SCALAR and JSON_SERIALIZE), `unique keys`, `returning` (a
 * cast of NULL) and `query` (of JSON_ARRAY, as an array). json-constructor.ts says what they mean.
 */
import type { Expression, FunctionArgument, FunctionCall, SortItem } from './ast.ts';
import type { Span } from './base/error.ts';
import { namedType, ON_NULL, QUERY, RETURNING, UNIQUE_KEYS } from './json-constructor-clause.ts';
import type { Token } from './lexer.ts';
import { callOf, parseFilter, parseOver } from './parser-call.ts';
import type { Cursor } from './parser-cursor.ts';
import { pathCall, pathFunctions, returningType } from './parser-json-path.ts';
import { identifierOf } from './parser-name.ts';
import { parseOrderBy } from './parser-sort.ts';

const oneArgument: ReadonlySet<string> = new Set(['json', 'json_scalar', 'json_serialize']);

/** A call that begins with a JSON keyword and a parenthesis; undefined when none begins here. */
export function parseJsonCall(cursor: Cursor): Expression | undefined {
  const token = cursor.token;
  if (!token.text.startsWith('json') || !cursor.symbolAhead(1, '(')) return undefined;
  if (oneArgument.has(token.text)) return inside(cursor, token, oneArgumentCall);
  if (pathFunctions.has(token.text)) return inside(cursor, token, pathCall);
  switch (token.text) {
    case 'json_object':
      return inside(cursor, token, objectCall);
    case 'json_array':
      return inside(cursor, token, arrayCall);
    case 'json_objectagg':
      return aggregate(cursor, inside(cursor, token, objectAggregate));
    case 'json_arrayagg':
      return aggregate(cursor, inside(cursor, token, arrayAggregate));
    default:
      return undefined;
  }
}

/** Runs `rule` after the opening parenthesis; it consumes what follows up to the closing one. */
function inside<Node>(
  cursor: Cursor,
  token: Token,
  rule: (cursor: Cursor, token: Token) => Node,
): Node {
  return cursor.nested(() => {
    cursor.advance();
    cursor.expectSymbol('(');
    return rule(cursor, token);
  });
}

/** What stands behind the values, as arguments by names that no text can write. */
class Clauses {
  readonly #cursor: Cursor;
  readonly args: FunctionArgument[] = [];

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  add(name: string, value: Expression): void {
    this.args.push({ name: { name, quoted: true, span: value.span }, value });
  }

  /** `NULL ON NULL` or `ABSENT ON NULL`, or what holds without them. */
  nulls(otherwise: 'null' | 'absent'): void {
    const { start } = this.#cursor;
    const written = this.#cursor.acceptOneOf('null', 'absent');
    if (written !== undefined) this.#cursor.expect('on', 'null');
    this.add(ON_NULL, string(written ?? otherwise, this.#cursor.spanFrom(start)));
  }

  /** `WITH UNIQUE [KEYS]` or, which says nothing, `WITHOUT UNIQUE [KEYS]`. */
  unique(): void {
    const { start } = this.#cursor;
    const written = this.#cursor.acceptOneOf('with', 'without');
    if (written === undefined) return;
    this.#cursor.expect('unique');
    this.#cursor.accept('keys');
    if (written === 'with') this.add(UNIQUE_KEYS, string('with', this.#cursor.spanFrom(start)));
  }

  returning(): void {
    if (this.#cursor.accept('returning')) this.add(RETURNING, returningType(this.#cursor));
  }

  /** Ends the call. */
  call(token: Token, values: readonly Expression[]): FunctionCall {
    this.#cursor.expectSymbol(')');
    const name = identifierOf(token);
    const call = callOf(name, values, this.#cursor.spanFrom(token.start));
    return { ...call, args: [...call.args, ...this.args] };
  }
}

const string = (value: string, span: Span): Expression => ({ kind: 'string', value, span });

/** `value [FORMAT JSON]`, with which a text is a document. */
function parseValue(cursor: Cursor): Expression {
  const value = cursor.grammar.expression(cursor);
  if (!cursor.accept('format')) return value;
  cursor.expect('json');
  if (cursor.at('encoding')) throw cursor.unsupported('ENCODING');
  const { span } = value;
  return { kind: 'cast', operand: value, type: namedType('json', span), try: false, span };
}

function oneArgumentCall(cursor: Cursor, token: Token): FunctionCall {
  const clauses = new Clauses(cursor);
  const value = parseValue(cursor);
  if (token.text === 'json') clauses.unique();
  if (token.text === 'json_serialize') clauses.returning();
  return clauses.call(token, [value]);
}

/** `key VALUE value` (the key an operand) or `key : value`; undefined when neither separates. */
function parsePair(cursor: Cursor): [Expression, Expression] | Expression {
  const operand = cursor.grammar.primary(cursor);
  if (cursor.accept('value')) return [operand, parseValue(cursor)];
  const key = cursor.grammar.expressionFrom(cursor, operand);
  return cursor.acceptSymbol(':') ? [key, parseValue(cursor)] : key;
}

/** Pairs, or the arguments of the older function json_object(text[]). */
function objectCall(cursor: Cursor, token: Token): FunctionCall {
  const args: Expression[] = [];
  const clauses = new Clauses(cursor);
  let isPairs = true;
  if (!cursor.atSymbol(')') && !cursor.at('returning')) {
    do {
      const pair = parsePair(cursor);
      const isPair = Array.isArray(pair);
      if (args.length > 0 && isPair !== isPairs) throw cursor.unexpected();
      isPairs = isPair;
      args.push(...(isPair ? pair : [pair]));
    } while (cursor.acceptSymbol(','));
  }
  if (!isPairs) return clauses.call(token, args);
  clauses.nulls('null');
  clauses.unique();
  clauses.returning();
  return clauses.call(token, args);
}

function arrayCall(cursor: Cursor, token: Token): FunctionCall {
  const clauses = new Clauses(cursor);
  if (cursor.at('select') || cursor.at('values') || cursor.at('with')) {
    const query = cursor.grammar.query(cursor);
    if (cursor.accept('format')) cursor.expect('json');
    clauses.add(QUERY, { kind: 'array-query', query, span: query.span });
    clauses.returning();
    return clauses.call(token, []);
  }
  const isEmpty = cursor.atSymbol(')') || cursor.at('returning');
  const args = isEmpty ? [] : cursor.list(() => parseValue(cursor));
  clauses.nulls('absent');
  clauses.returning();
  return clauses.call(token, args);
}

function objectAggregate(cursor: Cursor, token: Token): FunctionCall {
  const clauses = new Clauses(cursor);
  const pair = parsePair(cursor);
  if (!Array.isArray(pair)) throw cursor.unexpected('VALUE');
  clauses.nulls('null');
  clauses.unique();
  clauses.returning();
  return clauses.call(token, pair);
}

function arrayAggregate(cursor: Cursor, token: Token): FunctionCall {
  const clauses = new Clauses(cursor);
  const value = parseValue(cursor);
  const orderBy: readonly SortItem[] = parseOrderBy(cursor);
  clauses.nulls('absent');
  clauses.returning();
  return { ...clauses.call(token, [value]), orderBy };
}

function aggregate(cursor: Cursor, call: FunctionCall): FunctionCall {
  const filter = parseFilter(cursor);
  const over = parseOver(cursor);
  return { ...call, filter, over, span: cursor.spanFrom(call.span.start) };
}
