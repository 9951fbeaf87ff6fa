/** Arrays of several dimensions in what a materialized view stores: an error of the row, since the store has no form for them. */
import { holdsArray, isStorable, requireStorable } from './base/array-shape.ts';
import type { Datum } from './base/datum.ts';
import { someObject } from './base/some-object.ts';
import { type Column, isMapType, type Schema, type SqlType } from './base/type.ts';
import { columnOf } from './bind-scope.ts';
import type { BoundExpr } from './expression.ts';
import type { ScalarFunction } from './function/scalar-function.ts';
import type { LogicalNode } from './logical-plan.ts';

/** The plan, with its arrays checked when something in it can make one of several dimensions. */
export function withStorableArrays(plan: LogicalNode): LogicalNode {
  if (!plan.schema.some(({ type }) => holdsArray(type)) || !mayHaveDimensions(plan)) return plan;
  const expressions = plan.schema.map((column, index): BoundExpr => {
    const value = columnOf(index, column.type);
    return holdsArray(column.type) ? checked(value, column) : value;
  });
  return { kind: 'project', input: plan, expressions, schema: plan.schema };
}

/** Whether something in the plan may be an array of more dimensions than its type says. */
export const mayHaveDimensions = (plan: LogicalNode): boolean => someObject(plan, makesDimensions);

function checked(value: BoundExpr, { name, type }: Column): BoundExpr {
  const fn: ScalarFunction = {
    name: `stored array ${name}`,
    parameters: [type],
    result: type,
    evaluate: (items: Datum) => requireStorable(items, type, name),
    description: 'array that the store can hold',
    family: 'array',
  };
  return { kind: 'call', fn, args: [value], type };
}

/** A part of a bound expression or plan, as far as it is looked at here. */
interface Part {
  readonly kind?: string;
  readonly type?: SqlType;
  readonly value?: Datum | null;
  readonly items?: readonly { readonly type?: SqlType }[];
  readonly operand?: { readonly type?: SqlType };
  readonly fn?: { readonly name: string };
  /** Of json_to_recordset and its kin. */
  readonly columns?: Schema;
}

const TEXT_KINDS: ReadonlySet<SqlType['kind'] | undefined> = new Set(['text', 'varchar', 'char']);

/** Columns and functions of arrays of one dimension give none of more, save these. */
function makesDimensions(object: object): boolean {
  const { kind, type, value, items, operand, fn, columns } = object as Part;
  if (fn?.name === 'array_fill') return true;
  if (Array.isArray(columns)) return columns.some((column) => holdsArray(column.type ?? TEXT));
  if (type?.kind === undefined) return false;
  if (kind === 'array')
    return (
      items?.some(
        (item) => item.type !== undefined && item.type.kind === 'array' && !isMapType(item.type),
      ) === true
    );
  if (kind === 'literal') return !isStorable(value ?? null, type);
  return kind === 'cast' && holdsArray(type) && TEXT_KINDS.has(operand?.type?.kind);
}

const TEXT: SqlType = { kind: 'text' };
