/** What the parts of the renderer share: names that never come from the user, calls collected on the way, columns in sight. */
import { assert } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import type { SqlType } from '../../sql/base/type.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { callName, type HostCall, nextCallId } from '../store/host-call.ts';

import { once } from './pull-once.ts';
import type { ScannedRelation } from './pull-overlay.ts';

/** A numeric held as DECIMAL(precision + 1, scale); NaN, if `nan` says that it can occur, is 10^precision unscaled. */
export interface DecimalForm {
  readonly precision: number;
  readonly scale: number;
  readonly nan: boolean;
}

/** One value as DuckDB SQL. A numeric is PostgreSQL's text unless `decimal` says otherwise. */
export interface Sql {
  readonly text: string;
  readonly decimal?: DecimalForm | undefined;
}

/** The columns that an expression may name. */
export interface Scope {
  readonly column: (index: number) => Sql;
  readonly outer: Scope | undefined;
  /** Values of the `let`s around, by their ids. */
  readonly lets?: ReadonlyMap<number, Sql> | undefined;
}

/** One node as a SELECT statement whose columns are named c0, c1, …, and their forms. */
export interface NodeSql {
  readonly text: string;
  readonly forms: readonly (DecimalForm | undefined)[];
}

/** Expressions hold queries and queries hold expressions; each part reaches the other through the context. */
export interface Renderers {
  readonly node: (context: PullContext, node: LogicalNode, outer: Scope | undefined) => NodeSql;
  readonly expression: (context: PullContext, expr: BoundExpr, scope: Scope) => Sql;
}

export class PullContext {
  readonly resolve: (relation: string) => ScannedRelation;
  readonly #renderers: Renderers;
  readonly calls: HostCall[] = [];
  /** Subqueries rendered so far; DuckDB takes none in some places. */
  subqueries = 0;
  /** What the statement computes once before anything else, by its id; those that others name come first. */
  readonly commonTables = new Map<number, NodeSql>();
  /** How many rows of a recursive query are asked for, by its id, where that is known. */
  readonly recursiveRows = new Map<number, string>();
  /** Forms of the columns of recursive queries, by their id. */
  readonly recursive = new Map<number, readonly (DecimalForm | undefined)[]>();
  #aliases = 0;

  constructor(resolve: (relation: string) => ScannedRelation, renderers: Renderers) {
    this.resolve = resolve;
    this.#renderers = renderers;
  }

  node(node: LogicalNode, outer: Scope | undefined): NodeSql {
    return this.#renderers.node(this, node, outer);
  }

  expression(expr: BoundExpr, scope: Scope): Sql {
    return this.#renderers.expression(this, expr, scope);
  }

  /** A table alias that no other part of the statement has. */
  alias(): string {
    return `t${this.#aliases++}`;
  }

  /** SQL that calls back into this process. */
  call(
    parameters: readonly SqlType[],
    result: SqlType,
    args: readonly string[],
    evaluate: (args: readonly (Datum | null)[]) => Datum | null,
    options: { readonly strict?: boolean; readonly volatile?: boolean } = {},
  ): Sql {
    const call: HostCall = {
      id: nextCallId(),
      parameters,
      result,
      strict: options.strict ?? true,
      volatile: options.volatile ?? false,
      evaluate,
    };
    this.calls.push(call);
    return { text: `${callName(call)}(${[call.id, ...args].join(', ')})` };
  }
}

/** The columns of one input, `c0`, `c1`, … of an alias. */
export function inputScope(
  alias: string,
  forms: readonly (DecimalForm | undefined)[],
  outer: Scope | undefined,
): Scope {
  return {
    column: (index) => {
      assert(index < forms.length, `column ${index} of ${forms.length}`);
      return { text: `${alias}.c${index}`, decimal: forms[index] };
    },
    outer,
  };
}

/** The DECIMAL value that stands for NaN. */
export function decimalNaN(form: DecimalForm): string {
  const digits = `1${'0'.repeat(form.precision - form.scale)}`;
  return `CAST('${digits}' AS DECIMAL(${form.precision + 1}, ${form.scale}))`;
}

/** The value in its computed form: a numeric as text. */
export function computed(sql: Sql): string {
  const { text, decimal } = sql;
  if (decimal === undefined) return text;
  if (!decimal.nan) return `CAST(${text} AS VARCHAR)`;
  const nan = decimalNaN(decimal);
  return once(
    [text],
    ([value]) => `(CASE WHEN ${value} = ${nan} THEN 'NaN' ELSE CAST(${value} AS VARCHAR) END)`,
  );
}

export function sameForm(a: DecimalForm | undefined, b: DecimalForm | undefined): boolean {
  return a?.precision === b?.precision && a?.scale === b?.scale;
}
