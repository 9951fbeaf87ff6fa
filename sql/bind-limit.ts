/** LIMIT, OFFSET, FETCH FIRST … WITH TIES. */
import type { Expression, Query } from './ast.ts';
import { StreamError } from './base/error.ts';
import { typeName } from './base/type.ts';
import { places } from './bind-context.ts';
import type { Scope } from './bind-scope.ts';
import { bigintType, tryCoerce } from './coerce.ts';
import { evaluateConstant } from './evaluate.ts';
import type { BoundExpr } from './expression.ts';
import { mapColumns } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';

/** @throws StreamError SQL_DATATYPE_MISMATCH, SQL_INVALID_COLUMN_REFERENCE, SQL_SYNTAX, VALUE_INVALID_LIMIT. */
export function applyLimit(
  input: LogicalNode,
  tail: Pick<Query, 'limit' | 'offset' | 'withTies' | 'orderBy'>,
  scope: Scope,
  bind: (node: Expression) => BoundExpr,
): LogicalNode {
  const offset = tail.offset && bindCount(tail.offset, 'OFFSET', scope, bind);
  const limit = tail.limit && bindCount(tail.limit, 'LIMIT', scope, bind);
  if (tail.withTies && tail.orderBy.length === 0) {
    throw new StreamError('SQL_SYNTAX', 'WITH TIES cannot be specified without ORDER BY clause', {
      at: tail.limit?.span,
    });
  }
  if (limit === undefined && offset === undefined) return input;
  return { kind: 'limit', input, limit, offset, withTies: tail.withTies, schema: input.schema };
}

function bindCount(
  node: Expression,
  clause: 'LIMIT' | 'OFFSET',
  scope: Scope,
  bind: (node: Expression) => BoundExpr,
): BoundExpr | undefined {
  const place = clause === 'LIMIT' ? places.limit : places.offset;
  const raw = scope.within(place, () => bind(node));
  mapColumns(raw, () => {
    throw new StreamError(
      'SQL_INVALID_COLUMN_REFERENCE',
      `argument of ${clause} must not contain variables`,
      { at: node.span },
    );
  });
  const count = tryCoerce(raw, bigintType, 'assignment', scope.context);
  if (count === undefined) {
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      `argument of ${clause} must be type bigint, not type ${typeName(raw.type)}`,
      { at: node.span },
    );
  }
  const value = evaluateConstant(count);
  if (value === undefined) return count;
  // LIMIT NULL and LIMIT ALL are no limit.
  if (value === null) return undefined;
  if (typeof value === 'bigint' && value < 0n) {
    throw new StreamError(`VALUE_INVALID_${clause}`, `${clause} must not be negative`, {
      at: node.span,
    });
  }
  return { kind: 'literal', value, type: bigintType, span: node.span };
}
