/** Making any correlated plan independent of its outer rows, by computing it for their distinct values. */
import type { Column, SqlType } from '../base/type.ts';
import { columnOf } from '../bind-scope.ts';
import { booleanType } from '../coerce.ts';
import type { BoundExpr } from '../expression.ts';
import { registry } from '../function/builtin.ts';
import { visitPlanOuterColumns } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { type Domain, refused } from './domain.ts';
import { pushAggregate } from './domain-aggregate.ts';
import type { Pulled } from './pull-correlation.ts';
import { push } from './push-domain.ts';
import type { Aggregate } from './scalar-join.ts';

/**
 * The plan for each of the distinct values that the outer columns have among the rows of `input`; these values become
 * columns behind its own, and meeting them the conditions.
 */
export function pullByDomain(plan: LogicalNode, input: LogicalNode): Pulled {
  const outer = outerDomain(plan, input);
  return pulled(push(plan, outer.domain), plan.schema.length, outer);
}

/** An aggregate without keys as groups by the domain's columns; values without rows have no group. */
export function groupByDomain(aggregate: Aggregate, input: LogicalNode): Pulled {
  const outer = outerDomain(aggregate, input);
  const below = push(aggregate.input, outer.domain);
  const plan = pushAggregate(aggregate, below, outer.domain, false);
  return pulled(plan, aggregate.schema.length, outer);
}

interface OuterDomain {
  readonly domain: Domain;
  /** The expressions over `input` that the domain's columns hold. */
  readonly expressions: readonly BoundExpr[];
}

function outerDomain(plan: LogicalNode, input: LogicalNode): OuterDomain {
  const read = new Set<number>();
  visitPlanOuterColumns(plan, (depth, index) => {
    if (depth === 1) read.add(index);
  });
  const columns = [...read].sort((a, b) => a - b);
  const expressions: BoundExpr[] = columns.map((index) =>
    columnOf(index, (input.schema[index] as Column).type),
  );
  const schema: Column[] = columns.map((index) => input.schema[index] as Column);
  const keys = columns.map((index, position) => {
    const column = input.schema[index] as Column;
    if (isExact(column.type)) return position;
    expressions.push(asText(columnOf(index, column.type)));
    schema.push({ name: `${column.name} as text`, type: { kind: 'text' }, nullable: true });
    return schema.length - 1;
  });
  const values: LogicalNode = { kind: 'project', input, expressions, schema };
  const node: LogicalNode = { kind: 'distinct', input: values, schema };
  const place = new Map(columns.map((index, position) => [index, position]));
  return { domain: { node, place, keys, references: new Set() }, expressions };
}

function pulled(plan: LogicalNode, width: number, { domain, expressions }: OuterDomain): Pulled {
  const { keys, node } = domain;
  const conditions = keys.map((key): BoundExpr => {
    const right = columnOf(width + key, (node.schema[key] as Column).type);
    const left = outward(expressions[key] as BoundExpr);
    return { kind: 'is-distinct', left, right, negated: true, type: booleanType };
  });
  const determined = node.schema.flatMap((_, column) =>
    keys.includes(column) ? [] : [width + column],
  );
  return { plan, conditions, determined };
}

/** An expression over the outer node's columns, or its text, as the conditions name it. */
function outward(expression: BoundExpr): BoundExpr {
  if (expression.kind === 'cast') return { ...expression, operand: outward(expression.operand) };
  if (expression.kind !== 'column') throw new Error('assertion failed: a domain holds columns');
  return { ...expression, kind: 'outer-column', depth: 1 };
}

/** Whether values that are equal print alike: 1.0 and 1.00 do not, and a query may tell them apart. */
function isExact(type: SqlType): boolean {
  switch (type.kind) {
    case 'numeric':
    case 'real':
    case 'double':
    case 'interval':
    case 'char':
    case 'json':
    case 'jsonb':
    case 'array':
    case 'row':
      return false;
    case 'range':
      return type.name !== 'numrange';
    default:
      return true;
  }
}

function asText(operand: BoundExpr): BoundExpr {
  const type: SqlType = { kind: 'text' };
  const cast = registry.cast(operand.type, type, 'explicit');
  if (cast === undefined) throw refused('this reference to an outer query', operand.span);
  return { kind: 'cast', operand, fn: cast.fn, try: false, type };
}
