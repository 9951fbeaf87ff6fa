/** What one binding run knows: catalog, session, functions, the purpose, and the rules of the grammar. */
import type { CommonTable, Expression, Query } from './ast.ts';
import { utc, type Zone, zoneByName } from './base/timezone.ts';
import type { SqlType } from './base/type.ts';
import type { CommonTables, Scope } from './bind-scope.ts';
import type { Catalog, StatementContext } from './catalog.ts';
import type { BoundExpr } from './expression.ts';
import type { FunctionRegistry } from './function/registry.ts';
import type { LogicalNode } from './logical-plan.ts';

/** A `view` is kept up to date for ever, a `pull` query is answered once, a `sink` sends changes out. */
export type Purpose = 'view' | 'pull' | 'sink';

export interface QueryPlace {
  readonly context: BindContext;
  /** The query around it, whose columns it may use; undefined for the outermost one. */
  readonly parent: Scope | undefined;
  readonly commonTables: CommonTables;
  /** False leaves untyped literals of the select list untyped, for a UNION or INSERT to decide. */
  readonly resolveUnknown: boolean;
}

/** The rules that call each other in circles; binder.ts fills them in. */
export interface Rules {
  readonly query: (query: Query, place: QueryPlace) => LogicalNode;
  readonly expression: (expression: Expression, scope: Scope) => BoundExpr;
}

/** Where parts of a statement that change rows are collected. */
export interface ChangeItems {
  /** The WITH clause of the statement itself; others may not have such parts. */
  readonly clause: Query['with'];
  /** @returns what stands for its rows; undefined for a part without RETURNING. */
  readonly bind: (
    statement: Exclude<CommonTable['statement'], Query>,
    commonTables: CommonTables,
  ) => LogicalNode | undefined;
}

export interface BindContext {
  readonly catalog: Catalog;
  readonly statement: StatementContext;
  readonly registry: FunctionRegistry;
  readonly purpose: Purpose;
  readonly rules: Rules;
  /** Types of `$n` found so far, from their first use; index 0 is `$1`. */
  readonly parameterTypes: (SqlType | undefined)[];
  /** Gives each WITH item that needs one its number. */
  readonly nextCommonId: () => number;
  /** Plain views that were named so far, which are only their queries in the plan. */
  readonly viewsNamed: Set<string>;
  /** The query feeds a stream, whose records stay: a stream's join with a table looks up at arrival, as in ksqlDB. */
  readonly looksUp?: true | undefined;
  /** As in ksqlDB, the columns of a star over several tables have the names of their tables before their own. */
  readonly prefixesStars?: true | undefined;
  /** Of a statement that may have parts that change rows in its WITH clause. */
  readonly changes?: ChangeItems | undefined;
  /** SQL functions that are being written into the place of their calls, one in the other. */
  readonly inlined?: number | undefined;
}

/** The zone of a query that is answered once; what is kept is computed in UTC, whoever asked for it. */
export function sessionZone({ purpose, statement }: BindContext): Zone {
  const name = statement.settings.get('timezone');
  return purpose !== 'pull' || name === undefined || name === 'UTC' ? utc : zoneByName(name);
}

/** A clause, for errors and for what may stand in it. */
export interface Place {
  /** As in "aggregate functions are not allowed in WHERE". */
  readonly label: string;
  readonly aggregates: boolean;
  readonly windows: boolean;
  /** Set-returning functions. */
  readonly sets: boolean;
  readonly subqueries: boolean;
}

const place = (label: string, allowed: Partial<Place> = {}): Place => ({
  label,
  aggregates: false,
  windows: false,
  sets: false,
  subqueries: true,
  ...allowed,
});

export const places = {
  select: place('SELECT', { aggregates: true, windows: true, sets: true }),
  where: place('WHERE'),
  on: place('JOIN conditions'),
  from: place('functions in FROM', { sets: true }),
  groupBy: place('GROUP BY', { sets: true }),
  having: place('HAVING', { aggregates: true }),
  orderBy: place('ORDER BY', { aggregates: true, windows: true, sets: true }),
  distinctOn: place('DISTINCT ON', { aggregates: true, windows: true, sets: true }),
  qualify: place('QUALIFY', { aggregates: true, windows: true }),
  limit: place('LIMIT'),
  offset: place('OFFSET'),
  values: place('VALUES', { sets: true }),
  filter: place('FILTER'),
  window: place('window definitions', { aggregates: true }),
  returning: place('RETURNING'),
  update: place('UPDATE'),
  mergeWhen: place('MERGE WHEN conditions'),
  default: place('DEFAULT expressions', { subqueries: false }),
  check: place('check constraints', { subqueries: false }),
  generated: place('column generation expressions', { subqueries: false }),
  index: place('index expressions', { subqueries: false }),
  copyWhere: place('COPY FROM WHERE conditions', { subqueries: false }),
  transform: place('transform expressions', { subqueries: false }),
  watermark: place('WATERMARK', { subqueries: false }),
  partitionBy: place('PARTITION BY'),
  execute: place('EXECUTE parameters', { subqueries: false }),
  routine: place('function bodies'),
} as const satisfies Record<string, Place>;
