import { after, before, test } from 'node:test';
import { AggregateOperator } from '../../../engine/operator/aggregate.ts';
import type { PhysicalAggregate } from '../../../engine/plan/physical-node.ts';
import type { Schema, SqlType } from '../../../sql/base/type.ts';
import { registry, resolvePolymorphicAggregate } from '../../../sql/function/builtin.ts';
import { closeJudge, openJudge, runs, tableOf } from '../../property/history.ts';
import { checkOperator } from '../../property/play.ts';

before(openJudge);
after(closeJudge);

interface Call {
  readonly name: string;
  readonly args?: readonly string[];
  readonly distinct?: boolean;
  readonly filter?: string;
  readonly orderBy?: readonly string[];
}

const schema = tableOf('t', false).schema;
const columnOf = (name: string): number => schema.findIndex((column) => column.name === name);

function bind(call: Call): PhysicalAggregate {
  const args = (call.args ?? []).map(columnOf);
  const types = args.map((column) => (schema[column] as Schema[number]).type);
  const fn =
    registry
      .aggregates(call.name)
      .find(
        ({ parameters }) =>
          parameters.length === types.length &&
          parameters.every((type, i) => type.kind === types[i]?.kind),
      ) ?? resolvePolymorphicAggregate(call.name, types);
  if (fn === undefined) throw new Error(`no aggregate ${call.name}`);
  return {
    fn,
    args,
    distinct: call.distinct ?? false,
    filter: call.filter === undefined ? undefined : columnOf(call.filter),
    orderBy: (call.orderBy ?? []).map((name) => ({
      column: columnOf(name),
      descending: true,
      nullsFirst: true,
    })),
    type: fn.result,
  };
}

function render(call: Call): string {
  const distinct = call.distinct === true ? 'DISTINCT ' : '';
  const args = call.args === undefined ? '*' : call.args.join(', ');
  const order =
    call.orderBy === undefined
      ? ''
      : ` ORDER BY ${call.orderBy.map((name) => `${name} DESC`).join(', ')}`;
  const filter = call.filter === undefined ? '' : ` FILTER (WHERE ${call.filter})`;
  return `${call.name}(${distinct}${args}${order})${filter}`;
}

async function check(
  keys: readonly string[],
  calls: readonly Call[],
  appendOnly: boolean,
): Promise<void> {
  const aggregates = calls.map(bind);
  const keyColumns = keys.map(columnOf);
  const output: Schema = [
    ...keyColumns.map((column) => schema[column] as Schema[number]),
    ...aggregates.map((aggregate, i) => ({
      name: `a${i}`,
      type: aggregate.type as SqlType,
      nullable: true,
    })),
  ];
  const select = [...keys, ...calls.map(render)].join(', ');
  const groupBy = keys.length === 0 ? '' : ` GROUP BY ${keys.join(', ')}`;
  await checkOperator({
    tables: [tableOf('t', appendOnly)],
    operator: () =>
      new AggregateOperator(output, schema, keyColumns, aggregates, appendOnly, (error) => {
        throw error;
      }),
    query: `SELECT ${select} FROM t${groupBy}`,
    runs: Math.ceil(runs / 3),
    entriesWhenEmpty: keys.length === 0 ? 1 : 0,
  });
}

const lists: Readonly<Record<string, readonly Call[]>> = {
  'counts and integer sums': [
    { name: 'count' },
    { name: 'count', args: ['v'] },
    { name: 'sum', args: ['v'] },
    { name: 'avg', args: ['v'] },
    { name: 'sum', args: ['b'] },
    { name: 'avg', args: ['b'] },
  ],
  'numeric and double sums': [
    { name: 'sum', args: ['n'] },
    { name: 'avg', args: ['n'] },
    { name: 'sum', args: ['f'] },
    { name: 'avg', args: ['f'] },
  ],
  'min and max of every form': [
    { name: 'min', args: ['v'] },
    { name: 'max', args: ['v'] },
    { name: 'min', args: ['b'] },
    { name: 'max', args: ['b'] },
    { name: 'min', args: ['f'] },
    { name: 'max', args: ['f'] },
    { name: 'min', args: ['s'] },
    { name: 'max', args: ['s'] },
    { name: 'min', args: ['t'] },
    { name: 'max', args: ['t'] },
    { name: 'max', args: ['x'] },
  ],
  'booleans, filters, distinct': [
    { name: 'bool_and', args: ['o'] },
    { name: 'bool_or', args: ['o'] },
    { name: 'sum', args: ['v'], filter: 'o' },
    { name: 'count', filter: 'o' },
    { name: 'count', args: ['s'], distinct: true },
    { name: 'sum', args: ['b'], distinct: true },
    { name: 'max', args: ['v'], distinct: true, filter: 'o' },
    { name: 'avg', args: ['v'], distinct: true },
  ],
  'ordered and listed': [
    { name: 'string_agg', args: ['s', 's'], orderBy: ['v', 's'] },
    { name: 'array_agg', args: ['v'], orderBy: ['v'] },
    { name: 'array_agg', args: ['v'], distinct: true },
    { name: 'stddev_samp', args: ['v'] },
  ],
};

for (const [title, calls] of Object.entries(lists)) {
  for (const appendOnly of [false, true]) {
    const input = appendOnly ? 'appended' : 'changed';
    test(`${title} per key over ${input} rows`, () => check(['k'], calls, appendOnly));
    test(`${title} per text and bytes over ${input} rows`, () =>
      check(['s', 'x'], calls, appendOnly));
    test(`${title} over all ${input} rows`, () => check([], calls, appendOnly));
  }
}
