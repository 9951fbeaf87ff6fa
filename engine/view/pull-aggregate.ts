/** Aggregate calls over rendered arguments, as plain aggregates and as window functions. */
import type { Datum } from '../../sql/base/datum.ts';
import { Numeric, powerOfTen } from '../../sql/base/numeric.ts';
import type { SqlType } from '../../sql/base/type.ts';
import { hashKey } from '../../sql/base/value.ts';
import type { BoundAggregate } from '../../sql/expression.ts';
import type { Accumulator } from '../../sql/function/aggregate-function.ts';
import {
  NUMERIC_FRACTION,
  NUMERIC_SCALE,
  NUMERIC_SHORT,
  NUMERIC_WHOLE,
} from '../store/numeric-macro.ts';
import { computed, decimalNaN, type PullContext, type Sql } from './pull-context.ts';
import { equalityKey, orderKey } from './pull-key.ts';
import { rowOf } from './pull-literal.ts';
import { requireOrderKey, sortKey } from './pull-order.ts';

/** One call with its parts rendered: names of columns, so that they may be repeated. */
export interface AggregateSql {
  readonly aggregate: BoundAggregate;
  readonly args: readonly Sql[];
  readonly filter: string | undefined;
  /** Values of the ORDER BY keys. */
  readonly order: readonly Sql[];
  /** `OVER (…)` for a window function, else empty. */
  readonly over: string;
}

const NUMERIC: SqlType = { kind: 'numeric' };
const BIGINT: SqlType = { kind: 'bigint' };

export function renderAggregate(context: PullContext, call: AggregateSql): Sql {
  const { aggregate } = call;
  const [arg] = call.args;
  const type = aggregate.args[0]?.type;
  if (arg === undefined || type === undefined) {
    return aggregate.fn.incremental === 'count' || aggregate.fn.name === 'count'
      ? { text: plain(call, 'count', '*') }
      : general(context, call);
  }
  switch (aggregate.fn.incremental) {
    case 'count':
      if (!aggregate.distinct) return { text: plain(call, 'count', arg.text) };
      return { text: plain(call, 'count', `DISTINCT ${equalityKey(context, arg, type)}`) };
    case 'sum-int':
      return {
        text: `CAST(${overValues(call, 'sum', arg.text)} AS ${aggregate.type.kind === 'numeric' ? 'VARCHAR' : 'BIGINT'})`,
      };
    case 'sum-numeric':
      return numericSum(context, call, arg);
    case 'sum-double':
      return { text: doubleSum(call, arg.text, 'sum', 'fsum') };
    case 'avg-int': {
      const sum = `CAST(${overValues(call, 'sum', arg.text)} AS VARCHAR)`;
      return average(context, sum, overValues(call, 'count', arg.text));
    }
    case 'avg-numeric':
      return averageNumeric(context, call, arg);
    case 'avg-double':
      return { text: doubleSum(call, arg.text, 'avg', 'favg') };
    case 'min':
    case 'max': {
      const extreme = renderExtreme(call, arg, type, aggregate.fn.incremental);
      return extreme ?? general(context, call);
    }
    case 'bool-and':
      return { text: plain(call, 'bool_and', arg.text) };
    case 'bool-or':
      return { text: plain(call, 'bool_or', arg.text) };
    case undefined:
      break;
  }
  if (aggregate.fn.name === 'count' && aggregate.args.length === 1) {
    const value = aggregate.distinct ? `DISTINCT ${equalityKey(context, arg, type)}` : arg.text;
    return { text: plain(call, 'count', value) };
  }
  if (aggregate.fn.duckdb !== undefined && !aggregate.distinct && aggregate.orderBy.length === 0) {
    return { text: withSuffix(call, aggregate.fn.duckdb(call.args.map(computed))) };
  }
  return general(context, call);
}

/** `name(inner)` with the call's FILTER and OVER. */
function plain(call: AggregateSql, name: string, inner: string, also?: string): string {
  return `${name}(${inner})${suffix(call, also)}`;
}

function suffix(call: AggregateSql, also?: string): string {
  const conditions = [call.filter, also].filter((condition) => condition !== undefined);
  const filter = conditions.length === 0 ? '' : ` FILTER (WHERE ${conditions.join(' AND ')})`;
  return `${filter}${call.over === '' ? '' : ` ${call.over}`}`;
}

/** FILTER and OVER after a registry's template, which may wrap its one aggregate in a cast. */
function withSuffix(call: AggregateSql, template: string): string {
  const cast = /^CAST\((.*) AS ([A-Z]+)\)$/.exec(template);
  if (cast === null) return `${template}${suffix(call)}`;
  return `CAST(${cast[1]}${suffix(call)} AS ${cast[2]})`;
}

/** An aggregate over a value whose equality DuckDB shares, DISTINCT or not. */
function overValues(call: AggregateSql, name: string, value: string, also?: string): string {
  return plain(call, name, `${call.aggregate.distinct ? 'DISTINCT ' : ''}${value}`, also);
}

/** Compensated summation is exact but for rare last digits, and does not know infinities. */
function doubleSum(call: AggregateSql, value: string, naive: string, compensated: string): string {
  const plainSum = overValues(call, naive, value);
  const type = call.aggregate.type.kind === 'real' ? 'FLOAT' : 'DOUBLE';
  return `CAST(CASE WHEN isfinite(${plainSum}) THEN ${overValues(call, compensated, value)} ELSE ${plainSum} END AS ${type})`;
}

/**
 * The sum of numerics held as text: short ones as DECIMAL, the others one by one. Its scale is the largest of the
 * summed ones.
 */
function numericSum(context: PullContext, call: AggregateSql, arg: Sql): Sql {
  const { decimal } = arg;
  if (decimal !== undefined) return { text: decimalSum(call, arg) };
  if (call.aggregate.distinct) return general(context, call);
  return context.call(
    [...sumPartTypes],
    NUMERIC,
    textSumParts(call, arg.text),
    (parts) => sumOf(parts),
    { strict: false },
  );
}

/** Digits of a fraction part, see NUMERIC_FRACTION. */
const FRACTION_DIGITS = 18;

/** Sums of the short ones' whole and fraction parts, their largest scale, the list of the others. */
const sumPartTypes: readonly SqlType[] = [
  NUMERIC,
  NUMERIC,
  BIGINT,
  { kind: 'array', element: NUMERIC },
];

function textSumParts(call: AggregateSql, text: string): string[] {
  const short = `${NUMERIC_SHORT}(${text})`;
  return [
    `CAST(${plain(call, 'sum', `${NUMERIC_WHOLE}(${text})`, short)} AS VARCHAR)`,
    `CAST(${plain(call, 'sum', `${NUMERIC_FRACTION}(${text})`, short)} AS VARCHAR)`,
    `CAST(${plain(call, 'max', `${NUMERIC_SCALE}(${text})`, short)} AS BIGINT)`,
    plain(call, 'list', text, `NOT ${short}`),
  ];
}

function sumOf([whole, fraction, scale, others]: readonly (Datum | null)[]): Numeric | null {
  let total: Numeric | null = null;
  if (whole instanceof Numeric && fraction instanceof Numeric) {
    const digits = Number(scale);
    const unscaled = whole.unscaled * powerOfTen(FRACTION_DIGITS) + fraction.unscaled;
    total = new Numeric(unscaled / powerOfTen(FRACTION_DIGITS - digits), digits);
  }
  for (const other of (others ?? []) as readonly (Numeric | null)[]) {
    if (other !== null) total = total === null ? other : total.add(other);
  }
  return total;
}

function decimalSum(call: AggregateSql, arg: Sql): string {
  const sum = `CAST(${overValues(call, 'sum', arg.text)} AS VARCHAR)`;
  const { decimal } = arg;
  if (decimal?.nan !== true) return sum;
  const someNaN = plain(call, 'bool_or', `${arg.text} = ${decimalNaN(decimal)}`);
  return `(CASE WHEN ${someNaN} THEN 'NaN' ELSE ${sum} END)`;
}

function averageNumeric(context: PullContext, call: AggregateSql, arg: Sql): Sql {
  if (arg.decimal !== undefined) {
    return average(context, decimalSum(call, arg), overValues(call, 'count', arg.text));
  }
  if (call.aggregate.distinct) return general(context, call);
  return context.call(
    [...sumPartTypes, BIGINT],
    NUMERIC,
    [...textSumParts(call, arg.text), plain(call, 'count', arg.text)],
    (parts) => sumOf(parts)?.divide(Numeric.fromInt(parts[4] as bigint)) ?? null,
    { strict: false },
  );
}

/** A quotient of a sum and a count, with the scale that PostgreSQL's division chooses. */
function average(context: PullContext, sum: string, count: string): Sql {
  return context.call([NUMERIC, BIGINT], NUMERIC, [sum, count], ([total, rows]) =>
    (total as Numeric).divide(Numeric.fromInt(rows as bigint)),
  );
}

function renderExtreme(
  call: AggregateSql,
  arg: Sql,
  type: SqlType,
  name: 'min' | 'max',
): Sql | undefined {
  if (arg.decimal !== undefined) return { text: plain(call, name, arg.text), decimal: arg.decimal };
  const key = orderKey(arg, type);
  if (key === undefined) return undefined;
  if (key === arg.text) return { text: plain(call, name, arg.text) };
  return { text: plain(call, `arg_${name}`, `${arg.text}, ${key}`) };
}

/** Any aggregate by our own accumulator, over the list of its rows. */
function general(context: PullContext, call: AggregateSql): Sql {
  const { aggregate } = call;
  const { fn } = aggregate;
  const types = aggregate.args.map((arg) => arg.type);
  const rowType: SqlType = {
    kind: 'row',
    fields: types.map((type, i) => ({ name: `f${i}`, type, nullable: true })),
  };
  const element = types.length === 0 ? emptyRow : rowType;
  const fields = types.length === 0 ? ['TRUE'] : call.args.map(computed);
  const row = rowOf(fields, element);
  const rows: SqlType = { kind: 'array', element };
  const order = aggregateOrder(call, types);
  const list = plain(call, 'list', `${row}${order}`);
  return context.call(
    [rows],
    aggregate.type,
    [list],
    ([list]) => accumulate(call, types, (list ?? []) as readonly (readonly (Datum | null)[])[]),
    { strict: false },
  );

  function accumulate(
    { aggregate: { distinct } }: AggregateSql,
    argTypes: readonly SqlType[],
    values: readonly (readonly (Datum | null)[])[],
  ): Datum | null {
    const accumulator: Accumulator = fn.accumulator();
    const seen = new Set<string>();
    for (const args of values) {
      if (fn.strict && args[0] === null) continue;
      if (distinct) {
        const key = JSON.stringify(
          args.map((arg, i) =>
            arg === null ? null : String(hashKey(arg, argTypes[i] as SqlType)),
          ),
        );
        if (seen.has(key)) continue;
        seen.add(key);
      }
      accumulator.add(args, 1);
    }
    return accumulator.result();
  }
}

const emptyRow: SqlType = {
  kind: 'row',
  fields: [{ name: 'f0', type: { kind: 'boolean' }, nullable: true }],
};

/** PostgreSQL finds DISTINCT rows by sorting, which shows in the result of aggregates that keep an order. */
function aggregateOrder(call: AggregateSql, types: readonly SqlType[]): string {
  const keys = call.aggregate.orderBy.map((key, i) => sortKey(key, call.order[i] as Sql));
  if (keys.length === 0 && call.aggregate.distinct) {
    call.args.forEach((arg, i) => {
      const type = types[i] as SqlType;
      const key = call.aggregate.fn.ordered ? requireOrderKey(arg, type) : orderKey(arg, type);
      if (key !== undefined) keys.push(`${key} ASC NULLS LAST`);
    });
  }
  return keys.length === 0 ? '' : ` ORDER BY ${keys.join(', ')}`;
}
