/** WITH RECURSIVE: a base query UNION [ALL] a step that reads the item itself. */
import type { CommonTable, Query, QueryBody } from './ast.ts';
import { StreamError } from './base/error.ts';
import { sameType, typeName } from './base/type.ts';
import type { QueryPlace } from './bind-context.ts';
import { asNullable } from './bind-from-place.ts';
import { convertOutputs } from './bind-output.ts';
import { withSearchColumns } from './bind-search.ts';
import { someExpression } from './expression-map.ts';
import { inputsOf, visitExpressions } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';

/** Whether a part of the syntax tree names a relation. */
export const mentions = (part: unknown, relation: string): boolean =>
  countMentions(part, relation) > 0;

function countMentions(part: unknown, relation: string): number {
  if (typeof part !== 'object' || part === null) return 0;
  let count = 0;
  if (!Array.isArray(part) && 'kind' in part && part.kind === 'relation' && 'name' in part) {
    const { name } = part;
    const parts = typeof name === 'object' && name !== null && 'parts' in name ? name.parts : [];
    if (Array.isArray(parts) && parts.length === 1 && parts[0]?.name === relation) count++;
  }
  for (const value of Object.values(part)) count += countMentions(value, relation);
  return count;
}

/**
 * The items of a WITH RECURSIVE such that each comes behind those that it reads.
 * @throws StreamError SQL_NOT_SUPPORTED for items that read each other.
 */
export function inOrderOfUse(items: readonly CommonTable[]): readonly CommonTable[] {
  const ordered: CommonTable[] = [];
  const open = new Set<CommonTable>();
  const visit = (item: CommonTable): void => {
    if (ordered.includes(item)) return;
    if (open.has(item)) {
      throw new StreamError(
        'SQL_NOT_SUPPORTED',
        'mutual recursion between WITH items is not implemented',
        { at: item.span },
      );
    }
    open.add(item);
    for (const other of items) {
      if (other !== item && mentions(item.statement, other.name.name)) visit(other);
    }
    ordered.push(item);
  };
  for (const item of items) visit(item);
  return ordered;
}

const invalid = (message: string, item: CommonTable): StreamError =>
  new StreamError('SQL_INVALID_RECURSION', message, { at: item.span });

/** @throws StreamError SQL_INVALID_RECURSION, SQL_DATATYPE_MISMATCH. */
export function bindRecursive(
  item: CommonTable,
  query: Query,
  place: QueryPlace,
  bindQuery: (query: Query, place: QueryPlace) => LogicalNode,
  bindBody: (body: QueryBody, place: QueryPlace) => LogicalNode,
): LogicalNode {
  const name = item.name.name;
  const { body: written } = query;
  const { item: own, body, hiddenFrom } = withClauses(item, written, place, bindBody);
  if (body.kind !== 'set-operation' || body.op !== 'union') {
    throw invalid(
      `recursive query "${name}" does not have the form non-recursive-term UNION [ALL] recursive-term`,
      item,
    );
  }
  if (mentions(body.left, name)) {
    throw invalid(
      `recursive reference to query "${name}" must not appear within its non-recursive term`,
      item,
    );
  }
  if (query.orderBy.length > 0) throw notImplemented('ORDER BY', item);
  if (query.limit !== undefined || query.offset !== undefined) {
    throw notImplemented('LIMIT', item);
  }
  const { context } = place;
  const base = bindBody(body.left, place);
  const named = base.schema.map((column, index) => ({
    ...column,
    name: own.columns[index]?.name ?? column.name,
  }));
  const schema = asNullable(named);
  const id = context.nextCommonId();
  const level = place.parent === undefined ? 0 : place.parent.level + 1;
  const reference: LogicalNode = { kind: 'recursive-reference', id, schema };
  const commonTables = new Map(place.commonTables).set(name, {
    plan: reference,
    level,
    hiddenFrom,
  });
  const inner = { ...query, body: body.right, with: undefined };
  const step = bindQuery(inner, { ...place, commonTables, resolveUnknown: false });
  // A WITH item that reads it once may itself be read many times.
  if (countMentions(body.right, name) > 1) throw misplaced('more than once', item);
  checkReferences(step, id, item, undefined);
  if (step.schema.length !== base.schema.length) {
    throw new StreamError('SQL_SYNTAX', 'each UNION query must have the same number of columns', {
      at: body.right.span,
    });
  }
  const types = base.schema.map((column) => column.type);
  for (const [index, column] of step.schema.entries()) {
    const type = types[index] ?? column.type;
    if (column.type.kind === 'unknown' || sameType(column.type, type)) continue;
    if (context.registry.cast(column.type, type, 'implicit') !== undefined) continue;
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      `recursive query "${name}" column ${index + 1} has type ${typeName(type)} in non-recursive term but type ${typeName(column.type)} overall`,
      { at: body.span, hint: 'Cast the output of the non-recursive term to the correct type.' },
    );
  }
  const converted = convertOutputs(step, types, 'implicit', context);
  const stepPlan = typeof converted === 'number' ? step : converted;
  return { kind: 'recursive', id, base, step: stepPlan, all: body.all, schema };
}

/** The item with the columns that SEARCH and CYCLE add, which the step knows by name only. */
function withClauses(
  item: CommonTable,
  body: QueryBody,
  place: QueryPlace,
  bindBody: (body: QueryBody, place: QueryPlace) => LogicalNode,
): {
  readonly item: CommonTable;
  readonly body: QueryBody;
  readonly hiddenFrom?: number;
} {
  const isPlain = item.search === undefined && item.cycle === undefined;
  if (isPlain || body.kind !== 'set-operation' || mentions(body.left, item.name.name)) {
    return { item, body };
  }
  const names = bindBody(body.left, place).schema.map(
    ({ name }, index) => item.columns[index] ?? { name, quoted: true, span: item.span },
  );
  const done = withSearchColumns(item, body, names);
  return { item: { ...item, columns: done.columns }, body: done.body, hiddenFrom: names.length };
}

const misplaced = (where: string, item: CommonTable): StreamError =>
  invalid(`recursive reference to query "${item.name.name}" must not appear ${where}`, item);

/**
 * Looks at where the step reads the item. A step must grow with what it reads, or the recursion has no meaning: the places
 * that PostgreSQL refuses are those where a row more may be a row less.
 * @param refused  what the node stands within, for the error; undefined while a reference is allowed.
 * @returns whether it is read.
 * @throws StreamError SQL_INVALID_RECURSION.
 */
function checkReferences(
  node: LogicalNode,
  id: number,
  item: CommonTable,
  refused: string | undefined,
): boolean {
  if (node.kind === 'recursive-reference') {
    if (node.id !== id) return false;
    if (refused !== undefined) throw misplaced(refused, item);
    return true;
  }
  visitExpressions(node, (expression) => {
    someExpression(expression, (part) => {
      if (part.kind === 'subquery') checkReferences(part.plan, id, item, 'within a subquery');
      return false;
    });
  });
  const found = inputsOf(node).map((input, port) =>
    checkReferences(input, id, item, refused ?? refusedAt(node, port)),
  );
  const isRead = found.includes(true);
  if (isRead && node.kind === 'aggregate' && node.aggregates.length > 0) {
    throw invalid(
      "aggregate functions are not allowed in a recursive query's recursive term",
      item,
    );
  }
  return isRead;
}

/** Why an input of a node must not read the item. */
function refusedAt(node: LogicalNode, port: number): string | undefined {
  if (node.kind === 'set-operation' && node.op === 'except' && port === 1) return 'within EXCEPT';
  if (node.kind !== 'join') return undefined;
  const isOptional =
    node.type === 'full' || node.type === (port === 0 ? ('right' as const) : ('left' as const));
  return isOptional ? 'within an outer join' : undefined;
}

const notImplemented = (clause: string, item: CommonTable): StreamError =>
  new StreamError('SQL_NOT_SUPPORTED', `${clause} in a recursive query is not implemented`, {
    at: item.span,
  });
