/** Queries that one construct is rewritten into: everything that the construct does not name is absent. */
import type { FromItem, QualifiedName, Query, QueryBody, Select, SelectItem } from './ast.ts';
import type { Span } from './base/error.ts';

/** `SELECT items FROM from`, with the clauses given. */
export function plainSelect(
  clauses: Pick<Select, 'items' | 'from'> & Partial<Select>,
  span: Span,
): Select {
  return {
    kind: 'select',
    span,
    distinct: { kind: 'all' },
    where: undefined,
    groupBy: [],
    groupByDistinct: false,
    having: undefined,
    windows: [],
    qualify: undefined,
    streamWindow: undefined,
    partitionBy: [],
    ...clauses,
  };
}

/** A body alone, with the clauses around it that are given. */
export function plainQuery(body: QueryBody, clauses: Partial<Query> = {}): Query {
  return {
    kind: 'query',
    span: body.span,
    with: undefined,
    body,
    orderBy: [],
    limit: undefined,
    offset: undefined,
    withTies: false,
    locking: [],
    emit: undefined,
    ...clauses,
  };
}

/** The item `*`. */
export const starItem = (span: Span): SelectItem => ({
  expression: { kind: 'star', qualifier: undefined, span },
  alias: undefined,
  span,
});

/** A relation by its name, nothing said about it. */
export const relationItem = (name: QualifiedName, span: Span): FromItem => ({
  kind: 'relation',
  name,
  only: false,
  alias: undefined,
  sample: undefined,
  systemTime: undefined,
  streamWindow: undefined,
  span,
});
