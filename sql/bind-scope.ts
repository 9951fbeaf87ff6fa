/** What a query's expressions can see: the tables of FROM, the queries around it, WITH. */
import type { Expression, FunctionCall, Identifier } from './ast.ts';
import { StreamError } from './base/error.ts';
import { type Schema, type SqlType, withoutDomain } from './base/type.ts';
import { type BindContext, type Place, places } from './bind-context.ts';
import type { BoundAggregate, BoundExpr, BoundWindowCall } from './expression.ts';
import type { LogicalNode } from './logical-plan.ts';

/** A name that stands for an expression over the FROM clause's columns; mostly one column. */
export interface ScopeColumn {
  readonly name: string;
  readonly expression: BoundExpr;
  /** Found by name, but no part of `*`. */
  readonly hidden?: boolean | undefined;
}

/** A FROM item with a name of its own. */
export interface ScopeTable {
  readonly name: string;
  readonly columns: readonly ScopeColumn[];
  /** The catalog's name behind the alias, for hints and for the primary key. */
  readonly relation: string | undefined;
  /** Columns (of the FROM clause) that identify a row of it. */
  readonly primaryKey: readonly number[] | undefined;
  /** A function that gives single values: its name means the value, not a row of it. */
  readonly single?: boolean | undefined;
  /** On a side of an outer join that may have no row: whether it has none, so that the whole row is NULL. */
  readonly absent?: BoundExpr | undefined;
}

/** One item of WITH. */
export interface CommonTableEntry {
  readonly plan: LogicalNode;
  /** How deep the query that defines it stands; outer columns are shifted by the difference. */
  readonly level: number;
  /** Columns from this one on are known by name only, and not to `*`. */
  readonly hiddenFrom?: number | undefined;
  /** Changes rows, and has no RETURNING: there is nothing to read. */
  readonly withoutRows?: true | undefined;
}

export type CommonTables = ReadonlyMap<string, CommonTableEntry>;

export const noTables: CommonTables = new Map();

/**
 * Aggregates, GROUPING calls, window calls and set-returning functions are collected while a
 * query's expressions are bound. Until the plan below them exists, each stands in the expression as a `column` whose
 * index is one of these bases plus its number in the list.
 */
export const AGGREGATE_BASE = 1_000_000;
export const GROUPING_BASE = 2_000_000;
export const WINDOW_BASE = 3_000_000;
export const SET_BASE = 4_000_000;

export interface PendingSet {
  readonly name: string;
  readonly args: readonly BoundExpr[];
  readonly schema: Schema;
}

/** What was collected from the expressions of one query. */
export interface Pending {
  readonly aggregates: BoundAggregate[];
  readonly groupings: { readonly items: readonly BoundExpr[]; readonly call: BoundExpr }[];
  readonly windows: BoundWindowCall[];
  readonly sets: PendingSet[];
}

export interface ScopeOptions {
  readonly context: BindContext;
  readonly parent: Scope | undefined;
  readonly commonTables: CommonTables;
  readonly tables?: readonly ScopeTable[];
  readonly columns?: readonly ScopeColumn[];
}

/** Names of one query, or of the left side of a lateral join. */
export class Scope {
  readonly context: BindContext;
  readonly parent: Scope | undefined;
  readonly commonTables: CommonTables;
  /** Queries around this one. */
  readonly level: number;
  tables: readonly ScopeTable[];
  /** What a bare name can mean, in the order of `*`. */
  columns: readonly ScopeColumn[];
  /** Set for the left side of a join while its right side is bound. */
  readonly lateral: boolean;
  /** False hides the names, for a subquery in FROM without LATERAL; the depth still counts. */
  readonly visible: boolean;
  place: Place;
  /** Set in DEFINE and MEASURES, and in MERGE's RETURNING, where some calls mean what they mean nowhere else. */
  specialCalls: SpecialCalls | undefined;
  windowNames: ReadonlyMap<string, NamedWindow> = new Map();
  readonly pending: Pending = { aggregates: [], groupings: [], windows: [], sets: [] };

  constructor(options: ScopeOptions, lateral = false, visible = true) {
    this.context = options.context;
    this.parent = options.parent;
    this.commonTables = options.commonTables;
    this.level = options.parent === undefined ? 0 : options.parent.level + 1;
    this.tables = options.tables ?? [];
    this.columns = options.columns ?? [];
    this.lateral = lateral;
    this.visible = visible;
    this.place = places.from;
  }

  /** Binds something in another clause than the current one. */
  within<Result>(clause: Place, bind: () => Result): Result {
    const before = this.place;
    this.place = clause;
    try {
      return bind();
    } finally {
      this.place = before;
    }
  }
}

export interface SpecialCalls {
  /** Undefined for a call that is like anywhere else. */
  readonly bind: (
    call: FunctionCall,
    name: string,
    scope: Scope,
    bind: (node: Expression, scope: Scope) => BoundExpr,
  ) => BoundExpr | undefined;
}

/** A window of the WINDOW clause, bound when first used. */
export interface NamedWindow {
  readonly partitionBy: readonly BoundExpr[];
  readonly orderBy: BoundWindowCall['orderBy'];
  readonly frame: BoundWindowCall['frame'];
}

/** The scope chain with the lateral scopes before `around` made invisible. */
export function hideLateral(
  scope: Scope | undefined,
  around: Scope | undefined,
): Scope | undefined {
  if (scope === undefined || scope === around || !scope.lateral) return scope;
  return new Scope(
    {
      context: scope.context,
      parent: hideLateral(scope.parent, around),
      commonTables: scope.commonTables,
      tables: scope.tables,
      columns: scope.columns,
    },
    true,
    false,
  );
}

/** A column of the FROM clause. */
export function columnOf(index: number, type: SqlType): BoundExpr {
  return { kind: 'column', index, type: withoutDomain(type) };
}

/** The columns of a node as a table's columns, from column `offset` on. */
/** @param hiddenFrom  columns from this one on are no part of `*`. */
export function scopeColumns(
  schema: Schema,
  offset = 0,
  hiddenFrom = schema.length,
): readonly ScopeColumn[] {
  return schema.map(({ name, type }, index) => ({
    name,
    expression: columnOf(offset + index, type),
    ...(index < hiddenFrom ? {} : { hidden: true }),
  }));
}

/** Gives a table's columns the names of its alias. */
export function renameColumns(
  columns: readonly ScopeColumn[],
  names: readonly Identifier[],
  table: string,
): readonly ScopeColumn[] {
  const visible = columns.filter((column) => column.hidden !== true);
  const extra = names[visible.length];
  if (extra !== undefined) {
    throw new StreamError(
      'SQL_INVALID_COLUMN_REFERENCE',
      `table "${table}" has ${visible.length} columns available but ${names.length} columns specified`,
      { at: extra.span },
    );
  }
  let next = 0;
  return columns.map((column) => {
    if (column.hidden === true) return column;
    const name = names[next++];
    return name === undefined ? column : { ...column, name: name.name };
  });
}
