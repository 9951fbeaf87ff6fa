/** The meaning of logical plans, computed the simplest way: the reference that rewrites are compared by. */
import assert from 'node:assert/strict';
import type { Datum, Row } from '../../sql/base/datum.ts';
import type { Schema } from '../../sql/base/type.ts';
import { compareNullable, hashKey } from '../../sql/base/value.ts';
import { evaluate } from '../../sql/evaluate.ts';
import type {
  BoundAggregate,
  BoundExpr,
  BoundSortKey,
  BoundWindowCall,
} from '../../sql/expression.ts';
import { mapOperands } from '../../sql/expression-map.ts';
import { callScalar } from '../../sql/function/define.ts';
import { tableFunctionRows } from '../../sql/function/table-rows.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { interpretMatch } from './match-interpreter.ts';

type Value = Datum | null;

/** Rows of relations by name. */
export type Tables = ReadonlyMap<string, readonly Row[]>;

interface Env {
  readonly tables: Tables;
  /** Rows of the enclosing nodes, the next one first. */
  readonly outer: readonly Row[];
  readonly recursive: ReadonlyMap<number, readonly Row[]>;
}

/** All rows of the plan; in order where the plan sorts. */
export function interpret(plan: LogicalNode, tables: Tables): readonly Row[] {
  return run(plan, { tables, outer: [], recursive: new Map() });
}

function computeValue(expression: BoundExpr, row: Row, env: Env): Value {
  return evaluate(close(expression, row, env), row);
}

/** Puts values in the place of outer columns and subqueries. */
function close(expression: BoundExpr, row: Row, env: Env): BoundExpr {
  const { type } = expression;
  if (expression.kind === 'outer-column') {
    const value = env.outer[expression.depth - 1]?.[expression.index];
    assert(value !== undefined, 'an outer column exists');
    return { kind: 'literal', value, type };
  }
  if (expression.kind === 'subquery') {
    return { kind: 'literal', value: subqueryValue(expression, row, env), type };
  }
  // Branches that are not reached must not fail, so CASE and COALESCE are closed lazily.
  if (expression.kind === 'case') {
    for (const { when, then } of expression.whens) {
      if (computeValue(when, row, env) === true) return close(then, row, env);
    }
    return expression.otherwise === undefined
      ? { kind: 'literal', value: null, type }
      : close(expression.otherwise, row, env);
  }
  return mapOperands(expression, (operand) => close(operand, row, env));
}

function subqueryValue(
  subquery: BoundExpr & { readonly kind: 'subquery' },
  row: Row,
  env: Env,
): Value {
  const rows = run(subquery.plan, { ...env, outer: [row, ...env.outer] });
  switch (subquery.mode) {
    case 'exists':
      return rows.length > 0;
    case 'scalar':
      if (rows.length > 1) throw new Error('more than one row returned by a subquery');
      return rows[0]?.[0] ?? null;
    case 'array':
      return rows.map((item) => item[0] ?? null);
    case 'any':
    case 'all': {
      const operands = subquery.operands.map((operand) => computeValue(operand, row, env));
      const decisive = subquery.mode === 'any';
      let undecided = false;
      for (const item of rows) {
        const answer = callScalar(subquery.compare, [...operands, ...item]);
        if (answer === decisive) return decisive;
        if (answer === null) undecided = true;
      }
      return undecided ? null : !decisive;
    }
    default:
      return subquery satisfies never;
  }
}

/** A key equal exactly for rows whose values are not distinct. */
function rowKey(row: Row, schema: Schema): string {
  return row
    .map((value, index) => {
      const type = schema[index]?.type;
      if (value === null || type === undefined) return 'null';
      const key = hashKey(value, type);
      return `${typeof key} ${String(key).length} ${String(key)}`;
    })
    .join('|');
}

function sorted(rows: readonly Row[], keys: readonly BoundSortKey[], env: Env): Row[] {
  return [...rows].sort((left, right) => compareRows(left, right, keys, env));
}

function compareRows(left: Row, right: Row, keys: readonly BoundSortKey[], env: Env): number {
  for (const { expression, descending, nullsFirst } of keys) {
    const a = computeValue(expression, left, env);
    const b = computeValue(expression, right, env);
    if (a === null && b === null) continue;
    if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;
    const order = compareNullable(a, b, expression.type);
    if (order !== 0) return descending ? -order : order;
  }
  return 0;
}

function run(node: LogicalNode, env: Env): readonly Row[] {
  switch (node.kind) {
    case 'scan': {
      const rows = env.tables.get(node.relation);
      assert(rows !== undefined, `rows of ${node.relation}`);
      if (node.recordFrom === undefined) return rows;
      // One partition, a record every millisecond since 1970: ROWTIME, ROWPARTITION, ROWOFFSET, and the time once more.
      return rows.map((row, i) => [...row, BigInt(i), 0, BigInt(i), BigInt(i) * 1000n]);
    }
    case 'values':
      return node.rows.map((row) => row.map((cell) => computeValue(cell, [], env)));
    case 'filter':
      return run(node.input, env).filter((row) => computeValue(node.where, row, env) === true);
    case 'project':
      return run(node.input, env).map((row) =>
        node.expressions.map((expression) => computeValue(expression, row, env)),
      );
    case 'join':
      return runJoin(node, env);
    case 'aggregate':
      return runAggregate(node, env);
    case 'distinct':
      return unique(run(node.input, env), node.schema);
    case 'distinct-on': {
      const rows = sorted(run(node.input, env), node.orderBy, env);
      const seen = new Set<string>();
      return rows.filter((row) => isNew(seen, keyOf(node.keys, row, env)));
    }
    case 'set-operation':
      return runSet(node, env);
    case 'window':
      return runWindow(node, env);
    case 'sort':
      return sorted(run(node.input, env), node.keys, env);
    case 'limit': {
      const rows = run(node.input, env);
      const offset =
        node.offset === undefined ? 0 : Number(computeValue(node.offset, [], env) ?? 0);
      const limit = node.limit === undefined ? null : computeValue(node.limit, [], env);
      let end = limit === null ? rows.length : offset + Number(limit);
      const keys = node.input.kind === 'sort' ? node.input.keys : [];
      const last = rows[end - 1];
      while (node.withTies && last !== undefined && end < rows.length) {
        if (compareRows(last, rows[end] as Row, keys, env) !== 0) break;
        end++;
      }
      return rows.slice(offset, end);
    }
    case 'top-n':
      return runTopN(node, env);
    case 'window-table':
      return runWindowTable(node, env);
    case 'table-function':
      return runTableFunction(node, env);
    case 'flat-map':
      throw new Error('only plans for views have flat maps');
    case 'recursive': {
      let all = [...(node.all ? run(node.base, env) : unique(run(node.base, env), node.schema))];
      let working: readonly Row[] = all;
      for (let round = 0; working.length > 0 && round < 1000; round++) {
        const recursive = new Map(env.recursive).set(node.id, working);
        const next = run(node.step, { ...env, recursive });
        const known = new Set(all.map((row) => rowKey(row, node.schema)));
        working = node.all ? next : next.filter((row) => isNew(known, rowKey(row, node.schema)));
        all = [...all, ...working];
      }
      return all;
    }
    case 'match-recognize':
      return interpretMatch(node, run(node.input, env));
    case 'temporal-filter':
      throw new Error('the interpreter has no clock');
    case 'emit-final':
    case 'emit-every':
    case 'once':
      return run(node.input, env);
    case 'recursive-reference':
      return env.recursive.get(node.id) ?? [];
    default:
      return node satisfies never;
  }
}

function isNew(seen: Set<string>, key: string): boolean {
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

function unique(rows: readonly Row[], schema: Schema): readonly Row[] {
  const seen = new Set<string>();
  return rows.filter((row) => isNew(seen, rowKey(row, schema)));
}

const schemaOf = (keys: readonly BoundExpr[]): Schema =>
  keys.map(({ type }) => ({ name: '', type, nullable: true }));

function keyOf(keys: readonly BoundExpr[], row: Row, env: Env): string {
  return rowKey(
    keys.map((key) => computeValue(key, row, env)),
    schemaOf(keys),
  );
}

function runJoin(node: LogicalNode & { readonly kind: 'join' }, env: Env): readonly Row[] {
  const lefts = run(node.left, env);
  const fixed = node.lateral ? undefined : run(node.right, env);
  const { type } = node;
  const result: Row[] = [];
  const met = new Set<Row>();
  for (const left of lefts) {
    const rights = fixed ?? run(node.right, { ...env, outer: [left, ...env.outer] });
    const matches = rights.filter((right) => {
      if (node.on === undefined) return true;
      return computeValue(node.on, [...left, ...right], env) === true;
    });
    for (const right of matches) met.add(right);
    if (type === 'semi' || type === 'anti') {
      if (matches.length > 0 === (type === 'semi')) result.push(left);
      continue;
    }
    for (const right of matches) result.push([...left, ...right]);
    if (matches.length === 0 && (type === 'left' || type === 'full')) {
      result.push([...left, ...node.right.schema.map(() => null)]);
    }
  }
  if (type === 'right' || type === 'full') {
    for (const right of fixed ?? []) {
      if (!met.has(right)) result.push([...node.left.schema.map(() => null), ...right]);
    }
  }
  return result;
}

function aggregateValue(aggregate: BoundAggregate, rows: readonly Row[], env: Env): Value {
  const { fn, filter } = aggregate;
  const accumulator = fn.accumulator();
  const kept = rows.filter(
    (row) => filter === undefined || computeValue(filter, row, env) === true,
  );
  const seen = new Set<string>();
  for (const row of sorted(kept, aggregate.orderBy, env)) {
    const args = aggregate.args.map((arg) => computeValue(arg, row, env));
    if (fn.strict && fn.parameters.length > 0 && args[0] === null) continue;
    if (aggregate.distinct && !isNew(seen, rowKey(args, schemaOf(aggregate.args)))) continue;
    accumulator.add(args, 1);
  }
  return accumulator.result();
}

function runAggregate(
  node: LogicalNode & { readonly kind: 'aggregate' },
  env: Env,
): readonly Row[] {
  const input = run(node.input, env);
  const sets = node.groupingSets ?? [node.keys.map((_, index) => index)];
  return sets.flatMap((set) => {
    const groups = new Map<string, { readonly keys: Row; readonly rows: Row[] }>();
    if (set.length === 0) groups.set('', { keys: node.keys.map(() => null), rows: [] });
    for (const row of input) {
      const keys = node.keys.map((key, index) =>
        set.includes(index) ? computeValue(key, row, env) : null,
      );
      const text = set.length === 0 ? '' : rowKey(keys, schemaOf(node.keys));
      const group = groups.get(text) ?? { keys, rows: [] };
      groups.set(text, group);
      group.rows.push(row);
    }
    return [...groups.values()].map(({ keys, rows }) => [
      ...keys,
      ...node.aggregates.map((aggregate) => aggregateValue(aggregate, rows, env)),
      ...node.groupings.map((asked) =>
        asked.reduce((bits, key) => bits * 2 + (set.includes(key) ? 0 : 1), 0),
      ),
    ]);
  });
}

function runSet(node: LogicalNode & { readonly kind: 'set-operation' }, env: Env): readonly Row[] {
  const left = run(node.left, env);
  const right = run(node.right, env);
  if (node.op === 'union') {
    return node.all ? [...left, ...right] : unique([...left, ...right], node.schema);
  }
  const counts = new Map<string, number>();
  for (const row of right) {
    const key = rowKey(row, node.schema);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const kept = (node.all ? left : unique(left, node.schema)).filter((row) => {
    const key = rowKey(row, node.schema);
    const count = counts.get(key) ?? 0;
    if (node.all && count > 0) counts.set(key, count - 1);
    return count > 0 === (node.op === 'intersect');
  });
  return kept;
}

/** Ranking functions, and aggregates with the default frame or over the whole partition. */
function runWindow(node: LogicalNode & { readonly kind: 'window' }, env: Env): readonly Row[] {
  const input = run(node.input, env);
  const added = node.calls.map((call) => windowValues(call, input, env));
  return input.map((row) => [...row, ...added.map((values) => values.get(row) ?? null)]);
}

function windowValues(
  call: BoundWindowCall,
  input: readonly Row[],
  env: Env,
): ReadonlyMap<Row, Value> {
  const values = new Map<Row, Value>();
  const partitions = new Map<string, Row[]>();
  for (const row of input) {
    const key = keyOf(call.partitionBy, row, env);
    const partition = partitions.get(key) ?? [];
    partitions.set(key, partition);
    partition.push(row);
  }
  assert(call.frame === undefined, 'explicit frames are not interpreted');
  for (const partition of partitions.values()) {
    const rows = sorted(partition, call.orderBy, env);
    let rank = 0;
    let dense = 0;
    rows.forEach((row, index) => {
      const before = rows[index - 1];
      const isPeer = before !== undefined && compareRows(before, row, call.orderBy, env) === 0;
      if (!isPeer) {
        rank = index + 1;
        dense++;
      }
      values.set(row, windowValue(call, rows, index, rank, dense, env));
    });
  }
  return values;
}

function windowValue(
  call: BoundWindowCall,
  rows: readonly Row[],
  index: number,
  rank: number,
  dense: number,
  env: Env,
): Value {
  const row = rows[index] as Row;
  if (call.fn.kind === 'aggregate') {
    const frame = rows.filter((other) => compareRows(other, row, call.orderBy, env) <= 0);
    return aggregateValue(call.fn.aggregate, frame, env);
  }
  const { name, args } = call.fn;
  const at = (place: number): Value => {
    const other = rows[place];
    return other === undefined || args[0] === undefined ? null : computeValue(args[0], other, env);
  };
  switch (name) {
    case 'row_number':
      return BigInt(index + 1);
    case 'rank':
      return BigInt(rank);
    case 'dense_rank':
      return BigInt(dense);
    case 'lag':
      return at(index - 1);
    case 'lead':
      return at(index + 1);
    default:
      throw new Error(`${name} is not interpreted`);
  }
}

function runTopN(node: LogicalNode & { readonly kind: 'top-n' }, env: Env): readonly Row[] {
  const call: BoundWindowCall = {
    fn: { kind: 'ranking', name: node.rank, args: [], ignoreNulls: false },
    partitionBy: node.partitionBy,
    orderBy: node.orderBy,
    frame: undefined,
    type: { kind: 'bigint' },
  };
  const input = run(node.input, env).map((row) => [...row]);
  const ranks = windowValues(call, input, env);
  return input.flatMap((row) => {
    const rank = ranks.get(row) as bigint;
    if (rank <= node.offset || rank > node.offset + node.limit) return [];
    return [node.emitRank ? [...row, rank] : row];
  });
}

function runWindowTable(
  node: LogicalNode & { readonly kind: 'window-table' },
  env: Env,
): readonly Row[] {
  const { window, timeColumn } = node;
  assert(window.kind === 'tumble' || window.kind === 'hop', 'the window is interpreted');
  assert(window.zone === undefined, 'the window is interpreted');
  const size = window.sizeMicros;
  const slide = window.kind === 'hop' ? window.slideMicros : size;
  const offset = window.offsetMicros;
  return run(node.input, env).flatMap((row) => {
    const time = row[timeColumn];
    if (typeof time !== 'bigint') return [];
    const past = (((time - offset) % slide) + slide) % slide;
    const rows: Row[] = [];
    for (let start = time - past; start > time - size; start -= slide) {
      rows.push([...row, start, start + size]);
    }
    return rows;
  });
}

function runTableFunction(
  node: LogicalNode & { readonly kind: 'table-function' },
  env: Env,
): readonly Row[] {
  const calls = node.calls.map(({ name, args, columns }) => ({
    name,
    types: args.map((arg) => arg.type),
    columns,
  }));
  const args = node.calls.map((call) => call.args.map((arg) => computeValue(arg, [], env)));
  return tableFunctionRows(calls, args, node.ordinality);
}
