/**
 * Functions with syntax of their own: EXTRACT(f FROM x), SUBSTRING(x FROM a), CURRENT_TIMESTAMP, …
 * They become ordinary calls, with the arguments in the order in which PostgreSQL passes them.
 */
import type { Expression, FunctionCall } from './ast.ts';
import type { Token } from './lexer.ts';
import { callOf, parseApplication } from './parser-call.ts';
import type { Cursor } from './parser-cursor.ts';
import { identifierOf } from './parser-name.ts';

/** Functions that are written without parentheses. */
const niladic: ReadonlySet<string> = new Set([
  ...['current_date', 'current_role', 'current_user', 'session_user', 'system_user', 'user'],
  ...['current_catalog'],
]);

/** The same, with an optional precision in parentheses. */
const timed: ReadonlySet<string> = new Set([
  ...['current_time', 'current_timestamp', 'localtime', 'localtimestamp'],
]);

const plainArguments: ReadonlySet<string> = new Set(['coalesce', 'greatest', 'least']);

const unsupportedCalls: ReadonlySet<string> = new Set([
  ...['xmlconcat', 'xmlelement', 'xmlexists', 'xmlforest', 'xmlparse', 'xmlpi', 'xmlroot'],
  ...['xmlserialize', 'xmltable', 'treat'],
]);

/** A call that begins with a keyword; undefined when none begins here. */
export function parseKeywordCall(cursor: Cursor): FunctionCall | undefined {
  const token = cursor.token;
  if (niladic.has(token.text)) return keywordCall(cursor, token, []);
  if (timed.has(token.text)) return timedCall(cursor, token);
  if (token.text === 'current_schema') {
    // The only one of them that may also be called like a function.
    return cursor.symbolAhead(1, '(') ? undefined : keywordCall(cursor, token, []);
  }
  if (token.text === 'collation' && cursor.wordAhead(1, 'for')) {
    cursor.expect('collation', 'for');
    const args = [inParentheses(cursor)];
    return callOf('pg_collation_for', args, cursor.spanFrom(token.start));
  }
  if (!cursor.symbolAhead(1, '(')) return undefined;
  if (unsupportedCalls.has(token.text)) throw cursor.unsupported(token.text.toUpperCase());
  if (plainArguments.has(token.text)) {
    cursor.advance();
    const args = cursor.nested(() => cursor.parenthesized(() => cursor.grammar.expression(cursor)));
    return callOf(identifierOf(token), args, cursor.spanFrom(token.start));
  }
  const rule = bodies.get(token.text);
  return rule === undefined ? undefined : bodyCall(cursor, token, rule);
}

function keywordCall(cursor: Cursor, token: Token, args: readonly Expression[]): FunctionCall {
  cursor.advance();
  return callOf(identifierOf(token), args, cursor.spanFrom(token.start), true);
}

function timedCall(cursor: Cursor, token: Token): FunctionCall {
  cursor.advance();
  const args: Expression[] = [];
  if (cursor.acceptSymbol('(')) {
    const start = cursor.start;
    const text = String(cursor.expectInteger());
    args.push({ kind: 'number', text, span: cursor.spanFrom(start) });
    cursor.expectSymbol(')');
  }
  return callOf(identifierOf(token), args, cursor.spanFrom(token.start), true);
}

function inParentheses(cursor: Cursor): Expression {
  cursor.expectSymbol('(');
  const value = cursor.grammar.expression(cursor);
  cursor.expectSymbol(')');
  return value;
}

/** What stands between the parentheses, as a function's name and its arguments. */
type Body = (cursor: Cursor) => { name: string; args: Expression[] } | FunctionCall;

function bodyCall(cursor: Cursor, token: Token, rule: Body): FunctionCall {
  cursor.advance();
  return cursor.nested(() => {
    const result = rule(cursor);
    if ('kind' in result) return { ...result, span: cursor.spanFrom(token.start) };
    const name = { ...identifierOf(token), name: result.name };
    return callOf(name, result.args, cursor.spanFrom(token.start));
  });
}

const bodies: ReadonlyMap<string, Body> = new Map<string, Body>([
  ['extract', extractBody],
  ['position', positionBody],
  ['substring', substringBody],
  ['overlay', overlayBody],
  ['trim', trimBody],
  ['normalize', normalizeBody],
  ['nullif', nullifBody],
  ['merge_action', mergeActionBody],
]);

function extractBody(cursor: Cursor): { name: string; args: Expression[] } {
  cursor.expectSymbol('(');
  const token = cursor.token;
  const allowed =
    token.kind === 'string' ||
    token.kind === 'quoted' ||
    (token.kind === 'word' && (token.keyword === undefined || extractKeywords.has(token.text)));
  if (!allowed) throw cursor.unexpected('a field');
  cursor.advance();
  const span = { start: token.start, end: token.end };
  const field: Expression = { kind: 'string', value: token.text, span };
  cursor.expect('from');
  const value = cursor.grammar.expression(cursor);
  cursor.expectSymbol(')');
  return { name: 'extract', args: [field, value] };
}

const extractKeywords: ReadonlySet<string> = new Set([
  ...['year', 'month', 'day', 'hour', 'minute', 'second'],
]);

function mergeActionBody(cursor: Cursor): { name: string; args: Expression[] } {
  cursor.expectSymbol('(');
  cursor.expectSymbol(')');
  return { name: 'merge_action', args: [] };
}

function positionBody(cursor: Cursor): { name: string; args: Expression[] } {
  cursor.expectSymbol('(');
  const part = cursor.grammar.restrictedExpression(cursor);
  cursor.expect('in');
  const whole = cursor.grammar.restrictedExpression(cursor);
  cursor.expectSymbol(')');
  return { name: 'position', args: [whole, part] };
}

/**
 * `(x FROM a [FOR b])`, `(x FOR b)`, `(x SIMILAR p ESCAPE e)`, or ordinary arguments. The clauses
 * are told from the arguments by what follows the first expression.
 */
function substringBody(cursor: Cursor): { name: string; args: Expression[] } | FunctionCall {
  const at = cursor.index;
  const name = cursor.peek(-1);
  cursor.expectSymbol('(');
  if (cursor.atSymbol(')')) return plainCall(cursor, name, at);
  const value = cursor.grammar.expression(cursor);
  if (cursor.at('similar')) {
    cursor.advance();
    const pattern = cursor.grammar.expression(cursor);
    cursor.expect('escape');
    const escapedBy = cursor.grammar.expression(cursor);
    cursor.expectSymbol(')');
    return { name: 'substring', args: [value, pattern, escapedBy] };
  }
  if (!cursor.at('from') && !cursor.at('for')) return plainCall(cursor, name, at);
  const { from, length } = fromAndFor(cursor);
  cursor.expectSymbol(')');
  const args = [value, from ?? numberOne(value), ...(length === undefined ? [] : [length])];
  return { name: 'substring', args };
}

const numberOne = ({ span }: Expression): Expression => ({ kind: 'number', text: '1', span });

/** A length without a start must be an integer, else SUBSTRING(x FOR pattern) would be taken. */
function asInteger(operand: Expression): Expression {
  const { span } = operand;
  const type = { name: 'int4', modifiers: [], arrayDimensions: 0, span };
  return { kind: 'cast', operand, type, try: false, span };
}

/** `FROM a`, `FOR b`, in any order. */
function fromAndFor(cursor: Cursor): {
  from: Expression | undefined;
  length: Expression | undefined;
} {
  let from: Expression | undefined;
  let length: Expression | undefined;
  if (cursor.accept('from')) {
    from = cursor.grammar.expression(cursor);
    if (cursor.accept('for')) length = cursor.grammar.expression(cursor);
  } else {
    cursor.expect('for');
    length = cursor.grammar.expression(cursor);
    if (cursor.accept('from')) from = cursor.grammar.expression(cursor);
    else length = asInteger(length);
  }
  return { from, length };
}

/** Reads the arguments again, as those of an ordinary call. */
function plainCall(cursor: Cursor, name: Token, at: number): FunctionCall {
  cursor.index = at;
  const part = identifierOf(name);
  const call = parseApplication(cursor, { parts: [part], span: part.span });
  if (call.star || call.distinct || call.variadic || call.orderBy.length > 0) {
    throw cursor.error(`syntax error at or near "${name.text}"`, name);
  }
  return call;
}

function overlayBody(cursor: Cursor): { name: string; args: Expression[] } | FunctionCall {
  const at = cursor.index;
  const name = cursor.peek(-1);
  cursor.expectSymbol('(');
  if (cursor.atSymbol(')')) return plainCall(cursor, name, at);
  const value = cursor.grammar.expression(cursor);
  if (!cursor.accept('placing')) return plainCall(cursor, name, at);
  const args = [value, cursor.grammar.expression(cursor)];
  cursor.expect('from');
  args.push(cursor.grammar.expression(cursor));
  if (cursor.accept('for')) args.push(cursor.grammar.expression(cursor));
  cursor.expectSymbol(')');
  return { name: 'overlay', args };
}

const trimNames = { leading: 'ltrim', trailing: 'rtrim', both: 'btrim' } as const;

function trimBody(cursor: Cursor): { name: string; args: Expression[] } {
  cursor.expectSymbol('(');
  const side = cursor.acceptOneOf('leading', 'trailing', 'both') ?? 'both';
  const expressions = (): Expression[] => cursor.list(() => cursor.grammar.expression(cursor));
  let args: Expression[];
  if (cursor.accept('from')) {
    args = expressions();
  } else {
    args = expressions();
    const [characters] = args;
    if (characters !== undefined && args.length === 1 && cursor.accept('from')) {
      args = [...expressions(), characters];
    }
  }
  cursor.expectSymbol(')');
  return { name: trimNames[side], args };
}

function normalizeBody(cursor: Cursor): { name: string; args: Expression[] } {
  cursor.expectSymbol('(');
  const args = [cursor.grammar.expression(cursor)];
  if (cursor.acceptSymbol(',')) {
    const start = cursor.start;
    const form = cursor.expectOneOf('nfc', 'nfd', 'nfkc', 'nfkd');
    args.push({ kind: 'string', value: form.toUpperCase(), span: cursor.spanFrom(start) });
  }
  cursor.expectSymbol(')');
  return { name: 'normalize', args };
}

function nullifBody(cursor: Cursor): { name: string; args: Expression[] } {
  cursor.expectSymbol('(');
  const left = cursor.grammar.expression(cursor);
  cursor.expectSymbol(',');
  const right = cursor.grammar.expression(cursor);
  cursor.expectSymbol(')');
  return { name: 'nullif', args: [left, right] };
}
