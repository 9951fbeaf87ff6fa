/** Plan nodes -> SELECT statements. Every node is one query over its inputs as subqueries; DuckDB's planner flattens them. */
import { assert, assertNever } from '../../sql/base/assert.ts';
import type { Datum, Row } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Schema, SqlType } from '../../sql/base/type.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { storedForm } from '../store/stored-form.ts';
import { COUNT_COLUMN, columnName, tableName } from '../store/view-table.ts';
import {
  computed,
  type DecimalForm,
  inputScope,
  type NodeSql,
  type PullContext,
  type Scope,
  type Sql,
  sameForm,
} from './pull-context.ts';
import { unify } from './pull-decimal.ts';
import { renderCondition } from './pull-expression.ts';
import {
  renderDistinct,
  renderGroup,
  renderKeyedSetOperation,
  sharesRowEquality,
} from './pull-group.ts';
import { renderJoin } from './pull-join.ts';
import { orderBy } from './pull-order.ts';
import { renderOverlaidScan } from './pull-overlay.ts';
import { renderTableFunction, renderWindowTable, rowsOfList } from './pull-table.ts';
import { renderDistinctOn, renderTopN, renderWindow } from './pull-window.ts';

type Node<Kind extends LogicalNode['kind']> = LogicalNode & { readonly kind: Kind };

export function renderNode(
  context: PullContext,
  node: LogicalNode,
  outer: Scope | undefined,
): NodeSql {
  switch (node.kind) {
    case 'scan':
      return renderScan(context, node);
    case 'values':
      return renderValues(context, node, outer);
    case 'filter': {
      const input = context.node(node.input, outer);
      const alias = context.alias();
      const where = renderCondition(context, node.where, inputScope(alias, input.forms, outer));
      const text = `SELECT * FROM (${input.text}) AS ${alias} WHERE ${where}`;
      return { text, forms: input.forms };
    }
    case 'project': {
      const input = context.node(node.input, outer);
      const alias = context.alias();
      const scope = inputScope(alias, input.forms, outer);
      const columns = node.expressions.map((expr) => context.expression(expr, scope));
      return select(columns, `(${input.text}) AS ${alias}`);
    }
    case 'join':
      return renderJoin(context, node, outer);
    case 'aggregate':
      return renderGroup(context, node, outer);
    case 'temporal-filter':
      throw new Error('assertion failed: only views have rows that come and go by the clock');
    case 'emit-final':
    case 'emit-every':
      // A query that is answered once sees what there is.
      return context.node(node.input, outer);
    case 'distinct':
      return renderDistinct(context, node, outer);
    case 'distinct-on':
      return renderDistinctOn(context, node, outer);
    case 'set-operation':
      return renderSetOperation(context, node, outer);
    case 'window':
      return renderWindow(context, node, outer);
    case 'sort': {
      const input = context.node(node.input, outer);
      const alias = context.alias();
      const order = orderBy(context, node.keys, inputScope(alias, input.forms, outer));
      return { text: `SELECT * FROM (${input.text}) AS ${alias} ${order}`, forms: input.forms };
    }
    case 'limit':
      return renderLimit(context, node, outer);
    case 'top-n':
      return renderTopN(context, node, outer);
    case 'window-table':
      return renderWindowTable(context, node, outer);
    case 'table-function':
      return renderTableFunction(context, node, outer);
    case 'match-recognize':
      throw new Error('assertion failed: patterns are matched by the operators');
    case 'flat-map':
      throw new Error('assertion failed: a plan to read with is not that of a view');
    case 'once':
      return renderOnce(context, node);
    case 'recursive':
      return renderRecursive(context, node, outer);
    case 'recursive-reference': {
      const forms = context.recursive.get(node.id);
      assert(forms !== undefined, `recursive query ${node.id} encloses its reference`);
      const names = forms.map((_, i) => `c${i}`).join(', ');
      return { text: `SELECT ${names} FROM q${node.id}`, forms };
    }
    default:
      return assertNever(node);
  }
}

/** `SELECT … AS c0, … FROM from`; a query without columns still has rows. */
function select(columns: readonly Sql[], from: string): NodeSql {
  const list = columns.map((column, i) => `${column.text} AS c${i}`);
  const text = `SELECT ${list.length === 0 ? '1 AS nothing' : list.join(', ')} FROM ${from}`;
  return { text, forms: columns.map((column) => column.decimal) };
}

function renderScan(context: PullContext, node: Node<'scan'>): NodeSql {
  const relation = context.resolve(node.relation);
  if (relation.overlay !== undefined)
    return renderOverlaidScan(context, relation, relation.overlay);
  const forms = relation.schema.map((column): DecimalForm | undefined => {
    const form = storedForm(column.type);
    return form.kind === 'decimal' ? { ...form, nan: true } : undefined;
  });
  const names = relation.schema.map((_, i) => columnName(i));
  const list = names.length === 0 ? '1 AS nothing' : names.join(', ');
  const table = tableName(relation.id);
  // A bag's row stands for as many rows as its count says.
  const from =
    relation.storage.kind === 'bag'
      ? `(SELECT *, unnest(range(${COUNT_COLUMN})) AS copy FROM ${table})`
      : table;
  return { text: `SELECT ${list} FROM ${from}`, forms };
}

/** Up to so many rows are queries of their own, which may refer to enclosing queries. */
const SINGLE_ROWS_MAX = 16;

/** From so many constant rows on they are handed over by a call instead of being written out. */
const HANDED_ROWS_MIN = 100;

function renderValues(
  context: PullContext,
  node: Node<'values'>,
  outer: Scope | undefined,
): NodeSql {
  const constant = node.rows.length < HANDED_ROWS_MIN ? undefined : constantRows(node);
  if (constant !== undefined) return renderHandedRows(context, node.schema, constant);
  const scope: Scope = {
    column: () => {
      throw new Error('assertion failed: VALUES has no input columns');
    },
    outer,
  };
  const width = node.schema.length;
  const cells = node.rows.map((row) => row.map((expr) => context.expression(expr, scope)));
  const columns = Array.from({ length: width }, (_, i) => unify(cells.map((row) => row[i] as Sql)));
  const forms = columns.map((column) => column.decimal);
  const rows = node.rows.map((_, r) => columns.map((column) => column.texts[r] as string));
  if (rows.length === 0) {
    const nulls = node.schema.map((_, i) => `NULL AS c${i}`);
    return { text: `SELECT ${nulls.length === 0 ? '1' : nulls.join(', ')} WHERE FALSE`, forms };
  }
  if (rows.length <= SINGLE_ROWS_MAX || width === 0) {
    const selects = rows.map((row) => {
      const list = row.map((text, i) => `${text} AS c${i}`);
      return `SELECT ${list.length === 0 ? '1 AS nothing' : list.join(', ')}`;
    });
    return { text: selects.join(' UNION ALL '), forms };
  }
  const alias = context.alias();
  const names = node.schema.map((_, i) => `c${i}`).join(', ');
  const list = rows.map((row) => `(${row.join(', ')})`).join(', ');
  return { text: `SELECT * FROM (VALUES ${list}) AS ${alias}(${names})`, forms };
}

/** Arrays are left out: those of several dimensions have no form in the store. */
function constantRows({ rows, schema }: Node<'values'>): readonly Row[] | undefined {
  if (schema.length === 0 || schema.some(({ type }) => type.kind === 'array')) return undefined;
  const values: Row[] = [];
  for (const row of rows) {
    const cells: (Datum | null)[] = [];
    for (const cell of row) {
      if (cell.kind !== 'literal') return undefined;
      cells.push(cell.value);
    }
    values.push(cells);
  }
  return values;
}

function renderHandedRows(context: PullContext, schema: Schema, rows: readonly Row[]): NodeSql {
  const type: SqlType = { kind: 'array', element: { kind: 'row', fields: schema } };
  return rowsOfList(context, context.call([], type, [], () => rows).text, schema);
}

/** The rows with every column in the given form, which is its own or text. */
function inForms(
  context: PullContext,
  input: NodeSql,
  forms: readonly (DecimalForm | undefined)[],
): string {
  if (input.forms.every((form, i) => sameForm(form, forms[i]))) return input.text;
  const alias = context.alias();
  const scope = inputScope(alias, input.forms, undefined);
  const columns = forms.map((form, i): Sql => {
    const column = scope.column(i);
    return form === undefined ? { text: computed(column) } : column;
  });
  return select(columns, `(${input.text}) AS ${alias}`).text;
}

/** The forms that both inputs of a set operation can have. */
function commonForms(left: NodeSql, right: NodeSql): (DecimalForm | undefined)[] {
  return left.forms.map((form, i) => {
    const other = right.forms[i];
    if (form === undefined || other === undefined || !sameForm(form, other)) return undefined;
    return { ...form, nan: form.nan || other.nan };
  });
}

const operations = { union: 'UNION', intersect: 'INTERSECT', except: 'EXCEPT' } as const;

function renderSetOperation(
  context: PullContext,
  node: Node<'set-operation'>,
  outer: Scope | undefined,
): NodeSql {
  const left = context.node(node.left, outer);
  const right = context.node(node.right, outer);
  const forms = commonForms(left, right);
  const leftText = inForms(context, left, forms);
  const rightText = inForms(context, right, forms);
  const bag = node.op === 'union' && node.all;
  if (!bag && !sharesRowEquality(node.schema, forms)) {
    return renderKeyedSetOperation(context, node, leftText, rightText, forms);
  }
  const operation = `${operations[node.op]}${node.all ? ' ALL' : ''}`;
  const text = `SELECT * FROM (${leftText}) ${operation} SELECT * FROM (${rightText})`;
  return { text, forms };
}

function renderLimit(context: PullContext, node: Node<'limit'>, outer: Scope | undefined): NodeSql {
  const scope: Scope = {
    column: () => {
      throw new Error('assertion failed: LIMIT has no input columns');
    },
    outer,
  };
  const count = (expr: BoundExpr | undefined, clause: 'LIMIT' | 'OFFSET'): string | undefined => {
    if (expr === undefined || (expr.kind === 'literal' && expr.value === null)) return undefined;
    if (expr.kind === 'literal' && (expr.value as bigint) < 0n) {
      throw new StreamError(`VALUE_INVALID_${clause}`, `${clause} must not be negative`, {
        at: expr.span,
      });
    }
    return context.expression(expr, scope).text;
  };
  const limit = count(node.limit, 'LIMIT');
  const offset = count(node.offset, 'OFFSET');
  const { input } = node;
  if (node.withTies && input.kind === 'sort' && limit !== undefined) {
    return renderTies(context, input, limit, offset ?? '0', outer);
  }
  const recursive = recursionBelow(input);
  // What depends on rows of an enclosing query cannot be said inside of a recursive one.
  if (recursive !== undefined && limit !== undefined && outer === undefined) {
    const all = `CAST(${limit} AS HUGEINT) + coalesce(${offset ?? '0'}, 0)`;
    context.recursiveRows.set(recursive.id, `coalesce(${all}, ${2n ** 63n})`);
  }
  const rendered = context.node(input, outer);
  const clauses = `${limit === undefined ? '' : ` LIMIT ${limit}`}${offset === undefined ? '' : ` OFFSET ${offset}`}`;
  // A sort ends its statement with ORDER BY, which a limit may follow.
  if (input.kind === 'sort') return { text: rendered.text + clauses, forms: rendered.forms };
  const alias = context.alias();
  return { text: `SELECT * FROM (${rendered.text}) AS ${alias}${clauses}`, forms: rendered.forms };
}

/** The recursive query each of whose rows is one of the node's, in the same order. */
function recursionBelow(node: LogicalNode): Node<'recursive'> | undefined {
  if (node.kind === 'project') return recursionBelow(node.input);
  return node.kind === 'recursive' && node.all ? node : undefined;
}

/** FETCH FIRST n ROWS WITH TIES: rows after the offset up to the last peer of the n-th. */
function renderTies(
  context: PullContext,
  sort: Node<'sort'>,
  limit: string,
  offset: string,
  outer: Scope | undefined,
): NodeSql {
  const input = context.node(sort.input, outer);
  const alias = context.alias();
  const ranked = context.alias();
  const scope = inputScope(alias, input.forms, outer);
  const order = orderBy(context, sort.keys, scope);
  const columns = input.forms.map((_, i) => `${ranked}.c${i} AS c${i}`).join(', ');
  return {
    text:
      `SELECT ${columns === '' ? '1 AS nothing' : columns} FROM (SELECT *, row_number() OVER (${order}) AS place, ` +
      `rank() OVER (${order}) AS peers FROM (${input.text}) AS ${alias}) AS ${ranked} ` +
      `WHERE ${ranked}.place > ${offset} AND ${ranked}.peers <= ${offset} + ${limit} ORDER BY ${ranked}.place`,
    forms: input.forms,
  };
}

/** A common table of the whole statement. */
function renderOnce(context: PullContext, node: Node<'once'>): NodeSql {
  let common = context.commonTables.get(node.id);
  if (common === undefined) {
    common = context.node(node.input, undefined);
    context.commonTables.set(node.id, common);
  }
  const names = node.schema.map((_, i) => `c${i}`).join(', ');
  return {
    text: `SELECT ${names === '' ? '1 AS nothing' : names} FROM m${node.id}`,
    forms: common.forms,
  };
}

function renderRecursive(
  context: PullContext,
  node: Node<'recursive'>,
  outer: Scope | undefined,
): NodeSql {
  const base = context.node(node.base, outer);
  const forms = node.schema.map(() => undefined);
  context.recursive.set(node.id, forms);
  const step = context.node(node.step, outer);
  const name = `q${node.id}`;
  const names = node.schema.map((_, i) => `c${i}`).join(', ');
  const first = inForms(context, base, forms);
  const others = inForms(context, step, forms);
  const rows = context.recursiveRows.get(node.id);
  const text =
    rows === undefined
      ? `WITH RECURSIVE ${name}(${names}) AS ((${first}) UNION${node.all ? ' ALL' : ''} (${others}))`
      : // Each round has a row at least, so that as many rounds give all rows that are asked for. PostgreSQL goes no
        // further than them, and so answers also where the recursion has no end.
        `WITH RECURSIVE ${name}(${names}, round) AS ((SELECT *, 1 FROM (${first})) UNION ALL ` +
        `(SELECT *, (SELECT max(round) FROM ${name}) + 1 FROM (${others}) WHERE (SELECT max(round) FROM ${name}) < ${rows}))`;
  return { text: `${text} SELECT ${names} FROM ${name}`, forms };
}
