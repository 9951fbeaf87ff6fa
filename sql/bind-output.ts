/** Converting the columns that a finished query gives. */
import type { Schema, SqlType } from './base/type.ts';
import { sameType } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { columnOf } from './bind-scope.ts';
import { tryCoerce } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { mayBeNull } from './expression-null.ts';
import type { CastContext } from './function/registry.ts';
import type { LogicalNode } from './logical-plan.ts';

/**
 * The plan with its columns converted, or the number of the first column that cannot be. Untyped
 * literals are read as the new type, where they stand.
 */
export function convertOutputs(
  plan: LogicalNode,
  types: readonly SqlType[],
  castContext: CastContext,
  context: BindContext,
): LogicalNode | number {
  const isReady = (type: SqlType, to: SqlType = type): boolean =>
    to.domain === undefined && sameType(type, to);
  if (plan.schema.every(({ type }, index) => isReady(type, types[index]))) return plan;
  const convert = (expression: BoundExpr, index: number): BoundExpr | undefined =>
    tryCoerce(expression, types[index] ?? expression.type, castContext, context);
  switch (plan.kind) {
    case 'project': {
      const expressions = plan.expressions.map(convert);
      const failed = expressions.indexOf(undefined);
      if (failed >= 0) return failed;
      const done = expressions.filter((expression) => expression !== undefined);
      return { ...plan, expressions: done, schema: retype(plan.schema, done, plan.input.schema) };
    }
    case 'values': {
      const rows = plan.rows.map((row) => row.map(convert));
      const failed = rows.map((row) => row.indexOf(undefined)).find((index) => index >= 0);
      if (failed !== undefined) return failed;
      const done = rows.map((row) => row.filter((cell) => cell !== undefined));
      const schema = plan.schema.map((column, index) => ({
        ...column,
        type: types[index] ?? column.type,
      }));
      return { ...plan, rows: done, schema };
    }
    case 'limit':
    case 'sort': {
      if (!plan.schema.some((column) => column.type.kind === 'unknown')) break;
      const input = convertOutputs(plan.input, types, castContext, context);
      return typeof input === 'number' ? input : { ...plan, input, schema: input.schema };
    }
    default:
      break;
  }
  const expressions = plan.schema.map(({ type }, index) => convert(columnOf(index, type), index));
  const failed = expressions.indexOf(undefined);
  if (failed >= 0) return failed;
  const done = expressions.filter((expression) => expression !== undefined);
  return {
    kind: 'project',
    input: plan,
    expressions: done,
    schema: retype(plan.schema, done, plan.schema),
  };
}

function retype(schema: Schema, expressions: readonly BoundExpr[], input: Schema): Schema {
  return schema.map((column, index) => {
    const expression = expressions[index];
    if (expression === undefined) return column;
    return { ...column, type: expression.type, nullable: mayBeNull(expression, input) };
  });
}

/** A projection with names; columns' nullability follows from the input. */
export function project(
  input: LogicalNode,
  columns: readonly { readonly name: string; readonly expression: BoundExpr }[],
): LogicalNode {
  return {
    kind: 'project',
    input,
    expressions: columns.map((column) => column.expression),
    schema: columns.map(({ name, expression }) => ({
      name,
      type: expression.type,
      nullable: mayBeNull(expression, input.schema),
    })),
  };
}

/** The first `count` columns. */
export function keepFirst(input: LogicalNode, count: number): LogicalNode {
  if (input.schema.length === count) return input;
  return project(
    input,
    input.schema
      .slice(0, count)
      .map(({ name, type }, index) => ({ name, expression: columnOf(index, type) })),
  );
}

/** The rows of a node for which a condition over its columns is true. */
export const filtered = (input: LogicalNode, where: BoundExpr): LogicalNode => ({
  kind: 'filter',
  input,
  where,
  schema: input.schema,
});
