/** Function, aggregate and window calls: what may follow a function's name. */
import type {
  Expression,
  FunctionArgument,
  FunctionCall,
  Identifier,
  QualifiedName,
  SortItem,
} from './ast.ts';
import type { Span } from './base/error.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName, functionOrTypeName, isFunctionName, label } from './parser-name.ts';
import { parseOrderBy } from './parser-sort.ts';
import { parseWindowSpec } from './parser-window.ts';

/** A call with positional arguments only, as the keyword syntaxes give. */
export function callOf(
  name: Identifier | QualifiedName | string,
  args: readonly Expression[],
  span: Span,
  keyword = false,
): FunctionCall {
  return {
    kind: 'call',
    name: qualified(name, span),
    args: args.map((value) => ({ name: undefined, value })),
    star: false,
    distinct: false,
    variadic: false,
    orderBy: [],
    withinGroup: [],
    filter: undefined,
    nulls: undefined,
    over: undefined,
    keyword,
    span,
  };
}

/** A call's name without its schema. */
export const nameOf = (call: FunctionCall): string => call.name.parts.at(-1)?.name ?? '';

function qualified(name: Identifier | QualifiedName | string, span: Span): QualifiedName {
  if (typeof name === 'string') return { parts: [{ name, quoted: false, span }], span };
  return 'parts' in name ? name : { parts: [name], span: name.span };
}

/** Arguments in parentheses, then WITHIN GROUP, FILTER, IGNORE NULLS and OVER. */
export function parseCallAfterName(cursor: Cursor, name: QualifiedName): FunctionCall {
  const start = name.span.start;
  const application = cursor.nested(() => parseApplication(cursor, name));
  const withinGroup = parseWithinGroup(cursor, application);
  const filter = parseFilter(cursor);
  const nulls = parseNullTreatment(cursor);
  const over = parseOver(cursor);
  return { ...application, withinGroup, filter, nulls, over, span: cursor.spanFrom(start) };
}

/** `func_application`: the name is read, the cursor is on its parenthesis. */
export function parseApplication(cursor: Cursor, name: QualifiedName): FunctionCall {
  cursor.expectSymbol('(');
  const quantifier = cursor.acceptOneOf('distinct', 'all');
  let args: FunctionArgument[] = [];
  let star = false;
  let variadic = false;
  if (quantifier === undefined && cursor.acceptSymbol('*')) {
    star = true;
  } else if (quantifier !== undefined || !cursor.atSymbol(')')) {
    ({ args, variadic } = parseArguments(cursor, quantifier === undefined));
  }
  const rounded = roundedTo(cursor, name, args);
  if (rounded !== undefined) return rounded;
  const orderBy = star || args.length === 0 ? [] : parseOrderBy(cursor);
  cursor.expectSymbol(')');
  return {
    kind: 'call',
    name,
    args,
    star,
    distinct: quantifier === 'distinct',
    variadic,
    orderBy,
    withinGroup: [],
    filter: undefined,
    nulls: undefined,
    over: undefined,
    keyword: false,
    span: cursor.spanFrom(name.span.start),
  };
}

/** Flink's `FLOOR(time TO unit)` and CEIL, as the functions that they are. */
function roundedTo(
  cursor: Cursor,
  { parts, span }: QualifiedName,
  args: readonly FunctionArgument[],
): FunctionCall | undefined {
  const [name, ...schema] = parts;
  const [time, ...others] = args;
  const isRounding = ['floor', 'ceil', 'ceiling'].includes(name?.name ?? '');
  if (!isRounding || schema.length > 0 || time === undefined || others.length > 0) return undefined;
  if (!cursor.accept('to')) return undefined;
  const unit = label(cursor);
  cursor.expectSymbol(')');
  const text: Expression = { kind: 'string', value: unit.name, span: unit.span };
  const fn = name?.name === 'floor' ? 'date_trunc' : 'date_ceil';
  return callOf(fn, [text, time.value], cursor.spanFrom(span.start));
}

function parseArguments(
  cursor: Cursor,
  variadicAllowed: boolean,
): { args: FunctionArgument[]; variadic: boolean } {
  const args: FunctionArgument[] = [];
  do {
    if (variadicAllowed && cursor.accept('variadic')) {
      args.push(parseArgument(cursor));
      return { args, variadic: true };
    }
    args.push(parseArgument(cursor));
    // ksqlDB's MAP('key' := value) arrives as the pairs one after the other.
    if (cursor.acceptSymbol(':=')) {
      args.push({ name: undefined, value: cursor.grammar.expression(cursor) });
    }
  } while (cursor.acceptSymbol(','));
  return { args, variadic: false };
}

/** `value`, or `name => value` (also `name := value`). */
function parseArgument(cursor: Cursor): FunctionArgument {
  const named = cursor.symbolAhead(1, '=>') || cursor.symbolAhead(1, ':=');
  if (named && isFunctionName(cursor.token)) {
    const name = functionOrTypeName(cursor);
    cursor.advance();
    return { name, value: cursor.grammar.expression(cursor) };
  }
  return { name: undefined, value: cursor.grammar.expression(cursor) };
}

function parseWithinGroup(cursor: Cursor, call: FunctionCall): readonly SortItem[] {
  if (!cursor.atWords('within', 'group')) return [];
  const at = cursor.spanFrom(cursor.start);
  const within = cursor.token;
  cursor.expect('within', 'group');
  cursor.expectSymbol('(');
  const items = parseOrderBy(cursor);
  if (items.length === 0) throw cursor.unexpected('ORDER BY');
  cursor.expectSymbol(')');
  if (call.orderBy.length > 0) {
    throw cursor.error('cannot use multiple ORDER BY clauses with WITHIN GROUP', within);
  }
  if (call.distinct) throw cursor.error('cannot use DISTINCT with WITHIN GROUP', within);
  if (call.variadic) throw cursor.error('cannot use VARIADIC with WITHIN GROUP', at);
  return items;
}

export function parseFilter(cursor: Cursor): Expression | undefined {
  if (!cursor.accept('filter')) return undefined;
  cursor.expectSymbol('(');
  cursor.expect('where');
  const condition = cursor.grammar.expression(cursor);
  cursor.expectSymbol(')');
  return condition;
}

/** RESPECT NULLS or IGNORE NULLS, which PostgreSQL 18 does not have yet. */
function parseNullTreatment(cursor: Cursor): 'respect' | 'ignore' | undefined {
  if (cursor.acceptWords('ignore', 'nulls')) return 'ignore';
  if (cursor.acceptWords('respect', 'nulls')) return 'respect';
  return undefined;
}

export function parseOver(cursor: Cursor): FunctionCall['over'] {
  if (!cursor.accept('over')) return undefined;
  return cursor.atSymbol('(') ? parseWindowSpec(cursor) : columnName(cursor);
}
