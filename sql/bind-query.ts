/** Queries: WITH, set operations, VALUES, and the clauses behind them. */
import type { CommonTable, Expression, Query, QueryBody, SortItem } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import { type Column, type SqlType, typeName } from './base/type.ts';
import { sortDirection } from './bind-aggregate.ts';
import { refuseSets } from './bind-call.ts';
import { places, type QueryPlace } from './bind-context.ts';
import { bindEmit } from './bind-emit.ts';
import { named, scopeOver } from './bind-from-place.ts';
import { requireEquality } from './bind-group.ts';
import { applyLimit } from './bind-limit.ts';
import { onceIfVolatile } from './bind-once-table.ts';
import { convertOutputs } from './bind-output.ts';
import { bindRecursive, inOrderOfUse, mentions } from './bind-recursive.ts';
import { type CommonTables, columnOf } from './bind-scope.ts';
import { bindSelect, type Tail } from './bind-select.ts';
import { commonType, unify } from './coerce.ts';
import type { BoundExpr, BoundSortKey } from './expression.ts';
import { mayBeNull } from './expression-null.ts';
import type { LogicalNode } from './logical-plan.ts';
import { plainSelect, relationItem, starItem } from './plain-query.ts';

/** Binds a whole query; the result's schema has PostgreSQL's column names. */
export function bindQueryNode(query: Query, place: QueryPlace): LogicalNode {
  const commonTables = bindWith(query.with, place);
  const bound = bindBody(query.body, query, { ...place, commonTables });
  return bindEmit(bound, query.emit, { ...place, commonTables });
}

// ----------------------------------------------------------------------- with

/** The common tables around the statement that a WITH clause stands before, and its own. */
export function bindWith(clause: Query['with'], place: QueryPlace): CommonTables {
  if (clause === undefined) return place.commonTables;
  const tables = new Map(place.commonTables);
  const own = new Set<string>();
  const level = place.parent === undefined ? 0 : place.parent.level + 1;
  for (const item of clause.items) {
    const name = item.name.name;
    if (own.has(name)) {
      throw new StreamError(
        'SQL_DUPLICATE_ALIAS',
        `WITH query name "${name}" specified more than once`,
        {
          at: item.name.span,
        },
      );
    }
    own.add(name);
  }
  const items = clause.recursive ? inOrderOfUse(clause.items) : clause.items;
  for (const item of items) {
    const name = item.name.name;
    const inner = { ...place, commonTables: tables };
    const plan =
      item.statement.kind === 'query'
        ? bindCommonTable(item, item.statement, clause.recursive, inner)
        : bindChangeItem(item, item.statement, clause, inner);
    tables.set(name, plan === undefined ? { ...noRows, level } : { plan, level });
  }
  return tables;
}

const noRows = { plan: { kind: 'values', rows: [], schema: [] }, withoutRows: true } as const;

/** @throws StreamError SQL_NOT_SUPPORTED where rows cannot be changed. */
function bindChangeItem(
  item: CommonTable,
  statement: Exclude<CommonTable['statement'], Query>,
  clause: Query['with'],
  { context, commonTables }: QueryPlace,
): LogicalNode | undefined {
  if (context.changes === undefined || context.changes.clause !== clause) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      'WITH clause containing a data-modifying statement must be at the top level',
      { at: item.span },
    );
  }
  const plan = context.changes.bind(statement, commonTables);
  return plan && renameOutputs(plan, item);
}

function bindCommonTable(
  item: CommonTable,
  query: Query,
  recursive: boolean,
  place: QueryPlace,
): LogicalNode {
  const inner: QueryPlace = { ...place, resolveUnknown: true };
  if (!recursive || !mentions(query, item.name.name)) {
    const clause = item.search ?? item.cycle;
    if (clause !== undefined) {
      throw new StreamError('SQL_SYNTAX', 'WITH query is not recursive', { at: clause.span });
    }
    return renameOutputs(onceIfVolatile(bindQueryNode(query, inner), place.context), item);
  }
  const commonTables = bindWith(query.with, inner);
  const around = { ...inner, commonTables };
  return renameOutputs(bindRecursive(item, query, around, bindQueryNode, bindBodyPart), item);
}

/** Gives the plan's columns the names listed behind the WITH item's name. */
export function renameOutputs(plan: LogicalNode, item: CommonTable): LogicalNode {
  const names = item.columns;
  const { schema } = plan;
  if (names.length === 0) return plan;
  if (names.length > schema.length) {
    throw new StreamError(
      'SQL_INVALID_COLUMN_REFERENCE',
      `WITH query "${item.name.name}" has ${schema.length} columns available but ${names.length} columns specified`,
      { at: item.span },
    );
  }
  const renamed = schema.map((column, index) => ({
    ...column,
    name: names[index]?.name ?? column.name,
  }));
  return { ...plan, schema: renamed };
}

// --------------------------------------------------------------------- bodies

const noTail: Tail = { orderBy: [], limit: undefined, offset: undefined, withTies: false };

const bindBodyPart = (body: QueryBody, place: QueryPlace): LogicalNode =>
  bindBody(body, noTail, place);

function bindBody(body: QueryBody, tail: Tail, place: QueryPlace): LogicalNode {
  switch (body.kind) {
    case 'select':
      return bindSelect(body, tail, place);
    case 'table': {
      const from = [relationItem(body.name, body.span)];
      return bindSelect(
        plainSelect({ items: [starItem(body.span)], from }, body.span),
        tail,
        place,
      );
    }
    case 'nested':
      return bindNested(body.query, tail, place);
    case 'values':
      return withTail(bindValues(body.rows, place), tail, place, 'values');
    case 'set-operation':
      return withTail(bindSetOperation(body, place), tail, place, 'set');
    default:
      return body satisfies never;
  }
}

/** `(SELECT …) ORDER BY …`: the outer clauses join the inner ones. @throws StreamError SQL_SYNTAX when both have one. */
function bindNested(query: Query, tail: Tail, place: QueryPlace): LogicalNode {
  const twice = (clause: string, at: Span | undefined): StreamError =>
    new StreamError('SQL_SYNTAX', `multiple ${clause} clauses not allowed`, { at });
  if (tail.orderBy.length > 0 && query.orderBy.length > 0) {
    throw twice('ORDER BY', tail.orderBy[0]?.span);
  }
  if (tail.limit !== undefined && query.limit !== undefined) throw twice('LIMIT', tail.limit.span);
  if (tail.offset !== undefined && query.offset !== undefined) {
    throw twice('OFFSET', tail.offset.span);
  }
  const merged: Query = {
    ...query,
    orderBy: query.orderBy.length > 0 ? query.orderBy : tail.orderBy,
    limit: query.limit ?? tail.limit,
    offset: query.offset ?? tail.offset,
    withTies: query.withTies || tail.withTies,
  };
  return bindQueryNode(merged, place);
}

/** ORDER BY and LIMIT over finished columns. */
function withTail(
  input: LogicalNode,
  tail: Tail,
  place: QueryPlace,
  kind: 'set' | 'values',
): LogicalNode {
  const node = place.resolveUnknown || tail.orderBy.length > 0 ? settle(input, place) : input;
  const scope = scopeOver(named(node, undefined, '*VALUES*', undefined), place);
  const bind = (part: Expression): BoundExpr => place.context.rules.expression(part, scope);
  const keys = tail.orderBy.map((item): BoundSortKey => {
    const index = outputNumber(item, node, kind);
    const expression =
      index === undefined
        ? scope.within(places.orderBy, () => bind(item.expression))
        : columnOf(index, node.schema[index]?.type ?? { kind: 'unknown' });
    return { expression, ...sortDirection(item) };
  });
  const sorted: LogicalNode =
    keys.length === 0 ? node : { kind: 'sort', input: node, keys, schema: node.schema };
  return applyLimit(sorted, tail, scope, bind);
}

/** Untyped columns become text. */
function settle(node: LogicalNode, place: QueryPlace): LogicalNode {
  const types = node.schema.map(
    ({ type }): SqlType => (type.kind === 'unknown' ? { kind: 'text' } : type),
  );
  const done = convertOutputs(node, types, 'implicit', place.context);
  return typeof done === 'number' ? node : done;
}

function outputNumber(
  item: SortItem,
  node: LogicalNode,
  kind: 'set' | 'values',
): number | undefined {
  const { expression, span } = item;
  if (expression.kind === 'number') {
    const number = Number(expression.text);
    if (Number.isInteger(number) && number >= 1 && number <= node.schema.length) return number - 1;
    throw new StreamError(
      'SQL_INVALID_COLUMN_REFERENCE',
      `ORDER BY position ${expression.text} is not in select list`,
      { at: span },
    );
  }
  const name =
    expression.kind === 'column' && expression.name.parts.length === 1
      ? expression.name.parts[0]?.name
      : undefined;
  const index = node.schema.findIndex((column) => column.name === name);
  if (name !== undefined && index >= 0) return index;
  if (kind === 'values') return undefined;
  if (name !== undefined) {
    throw new StreamError('SQL_UNKNOWN_COLUMN', `column "${name}" does not exist`, { at: span });
  }
  throw new StreamError('SQL_NOT_SUPPORTED', 'invalid UNION/INTERSECT/EXCEPT ORDER BY clause', {
    at: span,
    detail: 'Only result column names can be used, not expressions or functions.',
    hint: 'Add the expression/function to every SELECT, or move the UNION into a FROM clause.',
  });
}

// --------------------------------------------------------------------- values

function bindValues(rows: readonly (readonly Expression[])[], place: QueryPlace): LogicalNode {
  const { context } = place;
  const scope = scopeOver(
    { node: { kind: 'values', rows: [], schema: [] }, tables: [], columns: [] },
    place,
  );
  const bound = scope.within(places.values, () =>
    rows.map((row) =>
      row.map((cell) => {
        const value = context.rules.expression(cell, scope);
        refuseSets(0, 'VALUES', scope, cell.span);
        return value;
      }),
    ),
  );
  const width = bound[0]?.length ?? 0;
  const uneven = rows.find((row) => row.length !== width);
  if (uneven !== undefined) {
    throw new StreamError('SQL_SYNTAX', 'VALUES lists must all be the same length', {
      at: uneven[0]?.span,
    });
  }
  const columns = Array.from({ length: width }, (_, index) => {
    const cells = bound.map((row) => row[index]).filter((cell) => cell !== undefined);
    const untyped = cells.every((cell) => cell.type.kind === 'unknown');
    if (untyped && !place.resolveUnknown) return { cells, type: { kind: 'unknown' } as const };
    const { type, expressions } = unify(cells, 'VALUES', context);
    return { cells: expressions, type };
  });
  const schema = columns.map(
    ({ cells, type }, index): Column => ({
      name: `column${index + 1}`,
      type,
      nullable: cells.some((cell) => mayBeNull(cell, [])),
    }),
  );
  const converted = bound.map((_, row) =>
    columns.map(({ cells }) => cells[row]).filter((cell) => cell !== undefined),
  );
  return { kind: 'values', rows: converted, schema };
}

// ------------------------------------------------------------- set operations

type SetOperation = QueryBody & { readonly kind: 'set-operation' };

function bindSetOperation(body: SetOperation, place: QueryPlace): LogicalNode {
  const inner: QueryPlace = { ...place, resolveUnknown: false };
  const left = bindBodyPart(body.left, inner);
  const right = bindBodyPart(body.right, inner);
  return combineSets(body, left, right, place);
}

/** Both sides with the columns' common types. */
export function combineSets(
  body: SetOperation,
  left: LogicalNode,
  right: LogicalNode,
  place: QueryPlace,
): LogicalNode {
  const { context } = place;
  const name = body.op.toUpperCase();
  if (left.schema.length !== right.schema.length) {
    throw new StreamError('SQL_SYNTAX', `each ${name} query must have the same number of columns`, {
      at: firstItem(body.right),
    });
  }
  const types = left.schema.map(({ type }, index) => {
    const other = right.schema[index]?.type ?? type;
    const common = commonType([type, other], context);
    if ('kind' in common) return common;
    const [a, b] = common.conflict;
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      `${name} types ${typeName(a)} and ${typeName(b)} cannot be matched`,
      { at: firstItem(body.right) },
    );
  });
  const [convertedLeft, convertedRight] = [left, right].map((side) => {
    const done = convertOutputs(side, types, 'implicit', context);
    if (typeof done !== 'number') return done;
    throw new StreamError(
      'SQL_CANNOT_COERCE',
      `${name} could not convert type ${typeName(side.schema[done]?.type ?? { kind: 'unknown' })} to ${typeName(types[done] ?? { kind: 'unknown' })}`,
      { at: body.span },
    );
  });
  if (convertedLeft === undefined || convertedRight === undefined) return left;
  const schema = convertedLeft.schema.map((column, index) => ({
    ...column,
    // Only a union has values of both sides: varchar(3) and text make varchar, where the left side stays what it is.
    type: (body.op === 'union' ? types[index] : undefined) ?? column.type,
    nullable: isNullable(body.op, column, convertedRight.schema[index]),
  }));
  if (!body.all) {
    for (const [index, { type }] of schema.entries()) {
      requireEquality(columnOf(index, type), body.span);
    }
  }
  return {
    kind: 'set-operation',
    op: body.op,
    all: body.all,
    left: convertedLeft,
    right: convertedRight,
    schema,
  };
}

/** Where PostgreSQL points for an error about the columns of one side. */
function firstItem(body: QueryBody): Span {
  if (body.kind === 'select') return body.items[0]?.span ?? body.span;
  return body.kind === 'nested' ? firstItem(body.query.body) : body.span;
}

function isNullable(op: SetOperation['op'], left: Column, right: Column | undefined): boolean {
  switch (op) {
    case 'union':
      return left.nullable || right?.nullable !== false;
    case 'intersect':
      return left.nullable && right?.nullable !== false;
    case 'except':
      return left.nullable;
    default:
      return op satisfies never;
  }
}
