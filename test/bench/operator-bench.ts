/**
 * Prints what single operators cost on columnar batches: million rows a second and CPU seconds per million.
 * `node test/bench/operator-bench.ts [rows]`
 */
import { Batch } from '../../engine/delta/batch.ts';
import type { BatchColumn } from '../../engine/delta/column.ts';
import { AggregateOperator } from '../../engine/operator/aggregate.ts';
import { JoinOperator } from '../../engine/operator/join.ts';
import type { Operator } from '../../engine/operator/operator.ts';
import { SetOperationOperator, setRules } from '../../engine/operator/set-operation.ts';
import { TopNOperator } from '../../engine/operator/top-n.ts';
import { WindowTableOperator } from '../../engine/operator/window-table.ts';
import type { PhysicalAggregate } from '../../engine/plan/physical-node.ts';
import type { Numeric } from '../../sql/base/numeric.ts';
import type { Schema, SqlType } from '../../sql/base/type.ts';
import { registry } from '../../sql/function/builtin.ts';

const rowsTotal = Number(process.argv[2] ?? 2_000_000);
const ROWS = 16_384;
const BATCHES_PER_EPOCH = 4;
const KEYS = 120_000;

const schemaOf = (...kinds: SqlType['kind'][]): Schema =>
  kinds.map((kind, i) => ({ name: `c${i}`, type: { kind } as SqlType, nullable: false }));

function mix(i: number): number {
  let h = Math.imul(i + 1, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}

function column(kind: SqlType['kind'], value: (i: number) => number, from: number): BatchColumn {
  const at = (_: unknown, i: number): number => value(from + i);
  switch (kind) {
    case 'integer':
      return { physical: 'i32', values: Int32Array.from({ length: ROWS }, at), nulls: null };
    case 'numeric':
      return {
        physical: 'num',
        values: BigInt64Array.from({ length: ROWS }, (_, i) => BigInt(value(from + i))),
        scales: new Int16Array(ROWS).fill(2),
        wide: null as readonly Numeric[] | null,
        nulls: null,
      };
    default:
      return {
        physical: 'i64',
        values: BigInt64Array.from({ length: ROWS }, (_, i) => BigInt(value(from + i))),
        nulls: null,
      };
  }
}

function batches(
  schema: Schema,
  values: readonly ((i: number) => number)[],
  rows: number,
): Batch[] {
  const out: Batch[] = [];
  for (let from = 0; from < rows; from += ROWS) {
    const columns = schema.map((item, c) => column(item.type.kind, values[c] ?? ((i) => i), from));
    out.push(new Batch(ROWS, columns, null));
  }
  return out;
}

function aggregate(
  name: string,
  args: readonly number[],
  type: SqlType['kind'] | undefined,
): PhysicalAggregate {
  const fn = registry
    .aggregates(name)
    .find((one) =>
      type === undefined ? one.parameters.length === 0 : one.parameters[0]?.kind === type,
    );
  if (fn === undefined) throw new Error(`no aggregate ${name}`);
  return { fn, args, distinct: false, filter: undefined, orderBy: [], type: fn.result };
}

const fail = (error: Error): never => {
  throw error;
};

interface Input {
  readonly port: number;
  readonly batch: Batch;
}

/** Runs a fresh operator over the input three times; prints the middle one. */
function measure(name: string, make: () => Operator, input: readonly Input[]): void {
  const rows = input.reduce((sum, { batch }) => sum + batch.length, 0);
  const results: { rate: number; cpu: number; out: number; bytes: number }[] = [];
  for (let round = 0; round < 4; round++) {
    const operator = make();
    let out = 0;
    const emit = (batch: Batch): void => {
      out += batch.length;
    };
    const cpu = process.cpuUsage();
    const started = performance.now();
    input.forEach(({ port, batch }, i) => {
      operator.push(port, batch, emit);
      if (i % BATCHES_PER_EPOCH === BATCHES_PER_EPOCH - 1) operator.flush(emit);
    });
    operator.flush(emit);
    const seconds = (performance.now() - started) / 1000;
    const used = process.cpuUsage(cpu);
    results.push({
      rate: rows / seconds / 1e6,
      cpu: (used.user + used.system) / rows,
      out,
      bytes: operator.stateBytes(),
    });
  }
  results.shift();
  results.sort((a, b) => a.cpu - b.cpu);
  const { rate, cpu, out, bytes } = results[1] as (typeof results)[number];
  console.log(
    `${name.padEnd(52)} ${rate.toFixed(2).padStart(6)} M rows/s ${cpu.toFixed(3).padStart(7)} CPU s/M ${String(out).padStart(9)} rows out ${(bytes / 1e6).toFixed(1).padStart(7)} MB`,
  );
}

const onPort = (list: readonly Batch[], port = 0): Input[] =>
  list.map((batch) => ({ port, batch }));

function groupBy(
  kind: 'integer' | 'bigint',
  value: 'integer' | 'bigint' | 'numeric',
  keys: number,
): void {
  const schema = schemaOf(kind, value);
  const input = batches(schema, [(i) => mix(i) % keys, (i) => mix(i * 7) % 10_000], rowsTotal);
  const aggregates = [
    aggregate('count', [], undefined),
    aggregate('sum', [1], value),
    aggregate('max', [1], value),
  ];
  const output: Schema = [
    ...schema.slice(0, 1),
    ...aggregates.map(({ type }) => ({ name: 'a', type, nullable: true })),
  ];
  measure(
    `group by ${kind} (${keys} keys): count, sum, max of ${value}`,
    () => new AggregateOperator(output, schema, [0], aggregates, true, fail),
    onPort(input),
  );
}

groupBy('integer', 'integer', 1000);
groupBy('integer', 'integer', KEYS);
groupBy('bigint', 'bigint', KEYS);
groupBy('bigint', 'numeric', KEYS);
groupBy('bigint', 'bigint', 5_000_000);

const pair = schemaOf('bigint', 'bigint', 'timestamp');
{
  const left = batches(pair, [(i) => i, (i) => mix(i) % 10, (i) => i], KEYS);
  const right = batches(
    pair,
    [(i) => mix(i) % KEYS, (i) => mix(i * 3) % 10_000, (i) => i],
    rowsTotal,
  );
  const shape = {
    type: 'inner',
    left: pair,
    right: pair,
    leftKeys: [0],
    rightKeys: [0],
    nullSafe: [false],
    keep: undefined,
    output: [1, 2, 4, 5],
  } as const;
  const output = schemaOf('bigint', 'timestamp', 'bigint', 'timestamp');
  measure('inner join on bigint, one match a row', () => new JoinOperator(output, shape), [
    ...onPort(left),
    ...onPort(right, 1),
  ]);
  measure(
    'left join on bigint, one match a row',
    () => new JoinOperator(output, { ...shape, type: 'left' }),
    [...onPort(left), ...onPort(right, 1)],
  );
}

measure(
  'distinct of (bigint, bigint)',
  () => new SetOperationOperator(schemaOf('bigint', 'bigint'), setRules.union),
  onPort(
    batches(
      schemaOf('bigint', 'bigint'),
      [(i) => mix(i) % 1000, (i) => mix(i * 5) % 500],
      rowsTotal,
    ),
  ),
);

measure(
  'hop 10 s / 2 s',
  () =>
    new WindowTableOperator(
      [...pair, ...schemaOf('timestamp', 'timestamp')],
      { kind: 'hop', sizeMicros: 10_000_000n, slideMicros: 2_000_000n, offsetMicros: 0n },
      2,
    ),
  onPort(batches(pair, [(i) => i, (i) => i, (i) => i * 100], rowsTotal / 4)),
);

for (const appendOnly of [true, false]) {
  measure(
    `first 10 rows per key (${KEYS / 10} keys) over ${appendOnly ? 'appended' : 'any'} rows`,
    () =>
      new TopNOperator(pair, pair, {
        partitionBy: [0],
        orderBy: [{ column: 1, descending: true, nullsFirst: true }],
        rank: 'row_number',
        limit: 10,
        offset: 0,
        emitRank: false,
        withTies: false,
        appendOnly,
      }),
    onPort(
      batches(pair, [(i) => mix(i) % (KEYS / 10), (i) => mix(i * 3), (i) => i], rowsTotal / 4),
    ),
  );
}
