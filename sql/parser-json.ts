/**
 * SQL/JSON's functions with syntax of their own, as calls of the functions that mean the same:
 * JSON_OBJECT(k VALUE v) is json_build_object(k, v), JSON_OBJECTAGG json_object_agg, and a NULL ON
 * NULL array json_build_array or json_agg. What has no such function keeps its name.
 */
import type { Expression, FunctionCall, SortItem } from './ast.ts';
import type { Token } from './lexer.ts';
import { callOf, parseFilter, parseOver } from './parser-call.ts';
import type { Cursor } from './parser-cursor.ts';
import { pathCall, pathFunctions } from './parser-json-path.ts';
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

/** Ends the call: what may come before the parenthesis and is not supported is named. */
function close(cursor: Cursor): void {
  for (const clause of ['returning', 'passing', 'format'] as const) {
    if (cursor.at(clause)) throw cursor.unsupported(`${clause.toUpperCase()} here`);
  }
  if (cursor.at('with') || cursor.at('without')) throw cursor.unsupported('this JSON clause');
  cursor.expectSymbol(')');
}

const named = (
  cursor: Cursor,
  token: Token,
  name: string,
  args: readonly Expression[],
): FunctionCall => callOf({ ...identifierOf(token), name }, args, cursor.spanFrom(token.start));

function oneArgumentCall(cursor: Cursor, token: Token): FunctionCall {
  const value = cursor.grammar.expression(cursor);
  close(cursor);
  return named(cursor, token, token.text, [value]);
}

/** `key VALUE value` (the key an operand) or `key : value`; undefined when neither separates. */
function parsePair(cursor: Cursor): [Expression, Expression] | Expression {
  const operand = cursor.grammar.primary(cursor);
  if (cursor.accept('value')) return [operand, cursor.grammar.expression(cursor)];
  const key = cursor.grammar.expressionFrom(cursor, operand);
  return cursor.acceptSymbol(':') ? [key, cursor.grammar.expression(cursor)] : key;
}

/** `NULL ON NULL` or `ABSENT ON NULL`; undefined when neither is there. */
function parseNullHandling(cursor: Cursor): 'null' | 'absent' | undefined {
  const word = cursor.acceptOneOf('null', 'absent');
  if (word !== undefined) cursor.expect('on', 'null');
  return word;
}

function refuseAbsent(cursor: Cursor, handling: 'null' | 'absent' | undefined): void {
  if (handling === 'absent') throw cursor.unsupported('ABSENT ON NULL', cursor.peek(-1));
}

/** Pairs, or the arguments of the older function json_object(text[]). */
function objectCall(cursor: Cursor, token: Token): FunctionCall {
  const args: Expression[] = [];
  let isPairs = true;
  if (!cursor.atSymbol(')')) {
    do {
      const pair = parsePair(cursor);
      const isPair = Array.isArray(pair);
      if (args.length > 0 && isPair !== isPairs) throw cursor.unexpected();
      isPairs = isPair;
      args.push(...(isPair ? pair : [pair]));
    } while (cursor.acceptSymbol(','));
  }
  if (isPairs && args.length > 0) refuseAbsent(cursor, parseNullHandling(cursor));
  close(cursor);
  return named(cursor, token, isPairs ? 'json_build_object' : 'json_object', args);
}

function arrayCall(cursor: Cursor, token: Token): FunctionCall {
  if (cursor.at('select')) throw cursor.unsupported('JSON_ARRAY of a query');
  const args = cursor.atSymbol(')') ? [] : cursor.list(() => cursor.grammar.expression(cursor));
  const keepsNulls = args.length > 0 && parseNullHandling(cursor) === 'null';
  close(cursor);
  return named(cursor, token, keepsNulls ? 'json_build_array' : 'json_array', args);
}

function objectAggregate(cursor: Cursor, token: Token): FunctionCall {
  const pair = parsePair(cursor);
  if (!Array.isArray(pair)) throw cursor.unexpected('VALUE');
  refuseAbsent(cursor, parseNullHandling(cursor));
  close(cursor);
  return named(cursor, token, 'json_object_agg', pair);
}

function arrayAggregate(cursor: Cursor, token: Token): FunctionCall {
  const value = cursor.grammar.expression(cursor);
  const orderBy: readonly SortItem[] = parseOrderBy(cursor);
  const keepsNulls = parseNullHandling(cursor) === 'null';
  close(cursor);
  return { ...named(cursor, token, keepsNulls ? 'json_agg' : 'json_arrayagg', [value]), orderBy };
}

function aggregate(cursor: Cursor, call: FunctionCall): FunctionCall {
  const filter = parseFilter(cursor);
  const over = parseOver(cursor);
  return { ...call, filter, over, span: cursor.spanFrom(call.span.start) };
}
