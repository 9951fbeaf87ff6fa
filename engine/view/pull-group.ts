/** GROUP BY, DISTINCT and the set operations that find equal rows. */
import { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { renderAggregate } from './pull-aggregate.ts';
import {
  type DecimalForm,
  inputScope,
  type NodeSql,
  type PullContext,
  type Scope,
  type Sql,
} from './pull-context.ts';
import { equalityKey, hasOwnEquality } from './pull-key.ts';

type Node<Kind extends LogicalNode['kind']> = LogicalNode & { readonly kind: Kind };

/**
 * Values that a later level of the query refers to by name, so that each is computed once and the later level may
 * repeat it.
 */
class NamedValues {
  readonly #alias: string;
  readonly #definitions: string[] = [];

  constructor(alias: string) {
    this.#alias = alias;
  }

  add(sql: Sql): Sql {
    const name = `x${this.#definitions.length}`;
    this.#definitions.push(`${sql.text} AS ${name}`);
    return { text: `${this.#alias}.${name}`, decimal: sql.decimal };
  }

  /** `(SELECT … FROM …) AS alias` */
  from(input: string): string {
    const list = this.#definitions.length === 0 ? '1 AS nothing' : this.#definitions.join(', ');
    return `(SELECT ${list} FROM ${input}) AS ${this.#alias}`;
  }
}

export function renderGroup(
  context: PullContext,
  node: Node<'aggregate'>,
  outer: Scope | undefined,
): NodeSql {
  if (outer !== undefined && node.groupingSets?.some((set) => set.length === 0) === true) {
    // DuckDB groups a correlated query by the outer row as well, and then has no group where that finds no rows.
    throw new StreamError('SQL_NOT_SUPPORTED', 'a grand total in a subquery is not supported here');
  }
  const input = context.node(node.input, outer);
  const inputAlias = context.alias();
  const scope = inputScope(inputAlias, input.forms, outer);
  const values = new NamedValues(context.alias());
  const add = (sql: Sql) => values.add(sql);

  const keys = node.keys.map((key) => {
    const sql = context.expression(key, scope);
    const value = add(sql);
    const same = hasOwnEquality(key.type, sql);
    const group = same ? value.text : add({ text: equalityKey(context, sql, key.type) }).text;
    return { value, group, same };
  });
  const aggregates = node.aggregates.map((aggregate) =>
    renderAggregate(context, {
      aggregate,
      args: aggregate.args.map((arg) => add(context.expression(arg, scope))),
      filter: aggregate.filter && add(context.expression(aggregate.filter, scope)).text,
      order: aggregate.orderBy.map((key) => add(context.expression(key.expression, scope))),
      over: '',
    }),
  );
  const sets = node.groupingSets;
  const outputs: Sql[] = keys.map(({ value, group, same }) => {
    if (same) return { text: group, decimal: value.decimal };
    const first = `first(${value.text})`;
    const text = sets === undefined ? first : `CASE WHEN GROUPING(${group}) = 0 THEN ${first} END`;
    return { text, decimal: value.decimal };
  });
  outputs.push(...aggregates);
  for (const asked of node.groupings) {
    const groups = asked.map((index) => keys[index]?.group);
    outputs.push({ text: `CAST(GROUPING(${groups.join(', ')}) AS INTEGER)` });
  }
  const list = outputs.map((output, i) => `${output.text} AS c${i}`);
  // Without keys there is one row, which DuckDB gives only to a SELECT that aggregates.
  const select = list.length === 0 ? 'count(*) AS nothing' : list.join(', ');
  return {
    text: `SELECT ${select} FROM ${values.from(`(${input.text}) AS ${inputAlias}`)}${groupBy(
      keys.map((key) => key.group),
      sets,
    )}`,
    forms: outputs.map((output) => output.decimal),
  };
}

function groupBy(
  groups: readonly string[],
  sets: readonly (readonly number[])[] | undefined,
): string {
  if (sets === undefined) return groups.length === 0 ? '' : ` GROUP BY ${groups.join(', ')}`;
  const rendered = sets.map((set) => `(${set.map((index) => groups[index]).join(', ')})`);
  return ` GROUP BY GROUPING SETS (${rendered.join(', ')})`;
}

export function renderDistinct(
  context: PullContext,
  node: Node<'distinct'>,
  outer: Scope | undefined,
): NodeSql {
  const input = context.node(node.input, outer);
  const alias = context.alias();
  if (hasOwnRows(node.schema, input.forms)) {
    return { text: `SELECT DISTINCT * FROM (${input.text}) AS ${alias}`, forms: input.forms };
  }
  const scope = inputScope(alias, input.forms, outer);
  const columns = node.schema.map((_, i) => `first(${scope.column(i).text}) AS c${i}`);
  const keys = rowKeys(context, node.schema, scope);
  return {
    text: `SELECT ${columns.join(', ')} FROM (${input.text}) AS ${alias} GROUP BY ${keys.join(', ')}`,
    forms: input.forms,
  };
}

function hasOwnRows(schema: Schema, forms: readonly (DecimalForm | undefined)[]): boolean {
  return schema.every((column, i) => hasOwnEquality(column.type, { text: '', decimal: forms[i] }));
}

function rowKeys(context: PullContext, schema: Schema, scope: Scope): string[] {
  return schema.map((column, i) => equalityKey(context, scope.column(i), column.type));
}

/** UNION, INTERSECT, EXCEPT over rows whose equality DuckDB does not share: by counting both sides per key. */
export function renderKeyedSetOperation(
  context: PullContext,
  node: Node<'set-operation'>,
  left: string,
  right: string,
  forms: readonly (DecimalForm | undefined)[],
): NodeSql {
  const alias = context.alias();
  const scope = inputScope(alias, forms, undefined);
  const keys = rowKeys(context, node.schema, scope).join(', ');
  const firsts = node.schema.map((_, i) => `first(${alias}.c${i}) AS c${i}`).join(', ');
  const sides = `(SELECT *, 0 AS side FROM (${left}) UNION ALL SELECT *, 1 AS side FROM (${right})) AS ${alias}`;
  const ofLeft = `count(*) FILTER (WHERE ${alias}.side = 0)`;
  const ofRight = `count(*) FILTER (WHERE ${alias}.side = 1)`;
  const columns = node.schema.map((_, i) => `c${i}`).join(', ');
  const copies =
    node.op === 'union'
      ? '1'
      : node.op === 'intersect'
        ? `least(${ofLeft}, ${ofRight})`
        : node.all
          ? `${ofLeft} - ${ofRight}`
          : `CASE WHEN ${ofRight} = 0 THEN 1 ELSE 0 END`;
  const repeated = node.all ? 'n' : 'least(n, 1)';
  return {
    text:
      `SELECT ${columns} FROM (SELECT *, unnest(range(${repeated})) AS i FROM ` +
      `(SELECT ${firsts}, ${copies} AS n FROM ${sides} GROUP BY ${keys}))`,
    forms,
  };
}

/** True when DuckDB's own set operation finds the same rows equal. */
export const sharesRowEquality = hasOwnRows;
