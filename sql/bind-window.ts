/** Window calls: `f(…) OVER (PARTITION BY … ORDER BY … frame)`, and the WINDOW clause. */
import type { FrameBound, FunctionCall, Identifier, WindowFrame, WindowSpec } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import { type SqlType, typeName } from './base/type.ts';
import {
  type BindExpression,
  bindAggregateParts,
  bindSortItems,
  isAggregateArguments,
  isAggregateName,
} from './bind-aggregate.ts';
import type { Place } from './bind-context.ts';
import { unknownFunction } from './bind-scalar.ts';
import { columnOf, type NamedWindow, type Scope, WINDOW_BASE } from './bind-scope.ts';
import { refuseUnknown } from './bind-unknown.ts';
import { bigintType, integerType, resolveUnknown, tryCoerce, unify } from './coerce.ts';
import { evaluateConstant } from './evaluate.ts';
import type {
  BoundExpr,
  BoundFrame,
  BoundFrameBound,
  BoundSortKey,
  BoundWindowCall,
} from './expression.ts';
import { equalExpressions } from './expression-equal.ts';
import { mapColumns } from './logical-map.ts';
import { categoryOf, withoutModifiers } from './type-category.ts';

type Ranking = BoundWindowCall['fn'] & { readonly kind: 'ranking' };

const doubleType: SqlType = { kind: 'double' };

/** Result type and number of arguments; 'value' = the type of the first argument. */
const rankings: {
  readonly [N in Ranking['name']]: { result: SqlType | 'value'; min: number; max: number };
} = {
  row_number: { result: bigintType, min: 0, max: 0 },
  rank: { result: bigintType, min: 0, max: 0 },
  dense_rank: { result: bigintType, min: 0, max: 0 },
  percent_rank: { result: doubleType, min: 0, max: 0 },
  cume_dist: { result: doubleType, min: 0, max: 0 },
  ntile: { result: integerType, min: 1, max: 1 },
  lag: { result: 'value', min: 1, max: 3 },
  lead: { result: 'value', min: 1, max: 3 },
  first_value: { result: 'value', min: 1, max: 1 },
  last_value: { result: 'value', min: 1, max: 1 },
  nth_value: { result: 'value', min: 2, max: 2 },
};

export const isRankingName = (name: string): name is Ranking['name'] =>
  Object.hasOwn(rankings, name);

/** A call with OVER: it joins the query's list of window calls. */
export function bindWindowCall(
  call: FunctionCall,
  name: string,
  scope: Scope,
  bind: BindExpression,
): BoundExpr {
  checkPlace(call, scope);
  const { place } = scope;
  const inside: Place = { ...place, label: 'window definitions', windows: false, sets: false };
  const fn = scope.within(inside, () => bindFunction(call, name, scope, bind, inside));
  const window =
    call.over !== undefined && 'kind' in call.over
      ? scope.within(inside, () => bindWindowSpec(call.over as WindowSpec, scope, bind))
      : namedWindow(call.over, scope);
  const type = fn.kind === 'aggregate' ? fn.aggregate.type : resultType(fn);
  const bound: BoundWindowCall = { fn, ...window, type };
  const list = scope.pending.windows;
  list.push(bound);
  return { ...columnOf(WINDOW_BASE + list.length - 1, type), span: call.span };
}

function checkPlace(call: FunctionCall, scope: Scope): void {
  const { place } = scope;
  if (place.windows) return;
  if (isAggregateArguments(place)) {
    throw new StreamError(
      'SQL_GROUPING',
      'aggregate function calls cannot contain window function calls',
      { at: call.span },
    );
  }
  throw new StreamError('SQL_WINDOWING', `window functions are not allowed in ${place.label}`, {
    at: call.span,
    hint:
      place.label === 'WHERE' || place.label === 'HAVING'
        ? 'Compute the window function in a subquery and filter its result, or use QUALIFY.'
        : undefined,
  });
}

function bindFunction(
  call: FunctionCall,
  name: string,
  scope: Scope,
  bind: BindExpression,
  inside: Place,
): BoundWindowCall['fn'] {
  const { context } = scope;
  if (isRankingName(name) && call.withinGroup.length === 0) {
    return bindRanking(call, name, scope, bind);
  }
  if (call.withinGroup.length > 0) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      `OVER is not supported for ordered-set aggregate ${name}`,
      { at: call.span },
    );
  }
  if (isAggregateName(name, context)) {
    if (call.distinct) {
      throw new StreamError(
        'SQL_NOT_SUPPORTED',
        'DISTINCT is not implemented for window functions',
        { at: call.span },
      );
    }
    if (call.orderBy.length > 0) {
      throw new StreamError(
        'SQL_NOT_SUPPORTED',
        'aggregate ORDER BY is not implemented for window functions',
        { at: call.span },
      );
    }
    return { kind: 'aggregate', aggregate: bindAggregateParts(call, name, scope, bind, inside) };
  }
  const types = call.args.map((argument) => bind(argument.value, scope).type);
  if (context.registry.scalars(name).length > 0) {
    throw new StreamError(
      'SQL_WRONG_OBJECT_TYPE',
      `OVER specified, but ${name} is not a window function nor an aggregate function`,
      { at: call.span },
    );
  }
  throw unknownFunction(name, types, call.span, context.registry.names());
}

function bindRanking(
  call: FunctionCall,
  name: Ranking['name'],
  scope: Scope,
  bind: BindExpression,
): Ranking {
  const { context } = scope;
  if (call.filter !== undefined) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      'FILTER is not implemented for non-aggregate window functions',
      { at: call.span },
    );
  }
  const raw = call.args.map((argument) => bind(argument.value, scope));
  const facts = rankings[name];
  const wrong = (): StreamError =>
    unknownFunction(
      name,
      raw.map((arg) => arg.type),
      call.span,
      [name],
    );
  if (raw.length < facts.min || raw.length > facts.max || call.star) throw wrong();
  refuseUnknown(
    name,
    raw.map((arg) => arg.type),
    call.span,
  );
  const integer = (arg: BoundExpr): BoundExpr => {
    const done = tryCoerce(arg, integerType, 'implicit', context);
    if (done === undefined) throw wrong();
    return done;
  };
  const ignoreNulls = call.nulls === 'ignore';
  const [, nth] = raw;
  if (name === 'nth_value' && nth !== undefined && isBelow(nth, 1)) {
    throw new StreamError(
      'VALUE_INVALID_NTH_VALUE',
      'argument of nth_value must be greater than zero',
      { at: call.span },
    );
  }
  if (name === 'ntile') {
    const args = raw.map(integer);
    if (args.some((arg) => isBelow(arg, 1))) {
      throw new StreamError('VALUE_INVALID_NTILE', 'argument of ntile must be greater than zero', {
        at: call.span,
      });
    }
    return { kind: 'ranking', name, args, ignoreNulls };
  }
  const [value, offset, fallback] = raw;
  if (value === undefined) return { kind: 'ranking', name, args: [], ignoreNulls };
  const known = resolveUnknown(value, context);
  const rest = offset === undefined ? [] : [integer(offset)];
  if (name === 'nth_value' && rest.some((arg) => isBelow(arg, 1))) {
    throw new StreamError(
      'VALUE_INVALID_NTH_VALUE',
      'argument of nth_value must be greater than zero',
      { at: call.span },
    );
  }
  if (fallback === undefined) return { kind: 'ranking', name, args: [known, ...rest], ignoreNulls };
  const { expressions } = unify([value, fallback], name.toUpperCase(), context);
  const [first = known, last = fallback] = expressions;
  return { kind: 'ranking', name, args: [first, ...rest, last], ignoreNulls };
}

/** Whether a constant is a number below `least`. */
function isBelow(expression: BoundExpr, least: number): boolean {
  const value = evaluateConstant(expression);
  return (typeof value === 'number' || typeof value === 'bigint') && value < least;
}

function resultType(fn: Ranking): SqlType {
  const { result } = rankings[fn.name];
  return result === 'value' ? withoutModifiers(fn.args[0]?.type ?? bigintType) : result;
}

function namedWindow(name: Identifier | WindowSpec | undefined, scope: Scope): NamedWindow {
  if (name === undefined || 'kind' in name)
    return { partitionBy: [], orderBy: [], frame: undefined };
  const found = scope.windowNames.get(name.name);
  if (found === undefined) {
    throw new StreamError('SQL_UNKNOWN_OBJECT', `window "${name.name}" does not exist`, {
      at: name.span,
    });
  }
  return found;
}

/** One window definition, on top of the named one that it starts from. */
export function bindWindowSpec(spec: WindowSpec, scope: Scope, bind: BindExpression): NamedWindow {
  const { context } = scope;
  const base = spec.base === undefined ? undefined : namedWindow(spec.base, scope);
  const override = (clause: string): StreamError =>
    new StreamError(
      'SQL_WINDOWING',
      `cannot override ${clause} clause of window "${spec.base?.name}"`,
      { at: spec.base?.span },
    );
  if (base !== undefined) {
    if (spec.partitionBy.length > 0) throw override('PARTITION BY');
    if (spec.orderBy.length > 0 && base.orderBy.length > 0) throw override('ORDER BY');
    if (base.frame !== undefined) {
      throw new StreamError(
        'SQL_WINDOWING',
        `cannot copy window "${spec.base?.name}" because it has a frame clause`,
        { at: spec.base?.span },
      );
    }
  }
  const own = spec.partitionBy.map((item) => resolveUnknown(bind(item, scope), context));
  const partitionBy = base?.partitionBy ?? distinctExpressions(own);
  const ownOrder = bindSortItems(spec.orderBy, scope, bind);
  const orderBy = ownOrder.length > 0 ? ownOrder : (base?.orderBy ?? []);
  const frame = spec.frame && bindFrame(spec.frame, orderBy, scope, bind, spec.span);
  return { partitionBy, orderBy, frame };
}

const distinctExpressions = (expressions: readonly BoundExpr[]): readonly BoundExpr[] =>
  expressions.filter(
    (expression, index) =>
      !expressions.slice(0, index).some((earlier) => equalExpressions(earlier, expression)),
  );

const frameOrder = [
  'unbounded-preceding',
  'preceding',
  'current-row',
  'following',
  'unbounded-following',
] as const;

function bindFrame(
  frame: WindowFrame,
  orderBy: readonly BoundSortKey[],
  scope: Scope,
  bind: BindExpression,
  span: Span,
): BoundFrame {
  const fail = (message: string): StreamError =>
    new StreamError('SQL_WINDOWING', message, { at: span });
  const { start, end } = frame;
  if (start.kind === 'unbounded-following') throw fail('frame start cannot be UNBOUNDED FOLLOWING');
  if (end.kind === 'unbounded-preceding') throw fail('frame end cannot be UNBOUNDED PRECEDING');
  if (frameOrder.indexOf(start.kind) > frameOrder.indexOf(end.kind)) {
    throw fail(
      start.kind === 'current-row'
        ? 'frame starting from current row cannot have preceding rows'
        : end.kind === 'current-row'
          ? 'frame starting from following row cannot end with current row'
          : 'frame starting from following row cannot have preceding rows',
    );
  }
  const hasOffset = [start, end].some((b) => b.kind === 'preceding' || b.kind === 'following');
  if (frame.unit === 'range' && hasOffset && orderBy.length !== 1) {
    throw fail('RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column');
  }
  if (frame.unit === 'groups' && orderBy.length === 0) {
    throw fail('GROUPS mode requires an ORDER BY clause');
  }
  const bound = (from: FrameBound, side: string): BoundFrameBound => {
    if (!('offset' in from)) return from;
    const offset = bindOffset(frame.unit, from.offset, orderBy, scope, bind);
    if (isBelow(offset, 0)) {
      const message = `frame ${side} offset must not be negative`;
      throw new StreamError('VALUE_INVALID_FRAME', message, { at: from.offset.span });
    }
    return { kind: from.kind, offset };
  };
  return {
    unit: frame.unit,
    start: bound(start, 'starting'),
    end: bound(end, 'ending'),
    exclude: frame.exclude,
  };
}

function bindOffset(
  unit: BoundFrame['unit'],
  node: Parameters<BindExpression>[0],
  orderBy: readonly BoundSortKey[],
  scope: Scope,
  bind: BindExpression,
): BoundExpr {
  const raw = bind(node, scope);
  mapColumns(raw, () => {
    throw new StreamError(
      'SQL_INVALID_COLUMN_REFERENCE',
      `argument of ${unit.toUpperCase()} must not contain variables`,
      { at: node.span },
    );
  });
  const key = orderBy[0]?.expression.type;
  const target =
    unit === 'range' && key !== undefined ? offsetType(key, raw.type, node.span) : bigintType;
  const done = tryCoerce(raw, target, 'implicit', scope.context);
  if (done === undefined) {
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      unit === 'range'
        ? `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${typeName(key ?? target)} and offset type ${typeName(raw.type)}`
        : `argument of ${unit.toUpperCase()} must be type bigint, not type ${typeName(raw.type)}`,
      { at: node.span },
    );
  }
  return done;
}

const integerKinds: readonly SqlType['kind'][] = ['smallint', 'integer', 'bigint'];

/** What may be added to a sort key of that type: to an integer, an integer of any size. */
function offsetType(key: SqlType, written: SqlType, at: Span): SqlType {
  const category = categoryOf(key);
  if (integerKinds.includes(key.kind) && integerKinds.includes(written.kind)) {
    return key.kind === 'bigint' ? key : written;
  }
  if (category === 'numeric') return key.kind === 'real' ? { kind: 'double' } : key;
  if (category === 'datetime' || category === 'timespan') return { kind: 'interval' };
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${typeName(key)}`,
    { at },
  );
}

/** Binds the WINDOW clause; a window may start from one before it. @throws StreamError SQL_WINDOWING. */
export function bindWindowClause(
  windows: readonly { readonly name: Identifier; readonly spec: WindowSpec }[],
  scope: Scope,
  bind: BindExpression,
): void {
  const names = new Map<string, NamedWindow>();
  for (const { name, spec } of windows) {
    if (names.has(name.name)) {
      throw new StreamError('SQL_WINDOWING', `window "${name.name}" is already defined`, {
        at: name.span,
      });
    }
    names.set(name.name, bindWindowSpec(spec, scope, bind));
    scope.windowNames = names;
  }
}
