/**
 * Prints what window functions cost over appended rows of 1,000 partitions, in microseconds of CPU a row, beside the same
 * with every touched partition computed anew, which a call over the whole partition (ntile) in the same operator forces.
 * `node test/bench/operator-window.ts [rows [name …]]`
 */

import type { Batch } from '../../engine/delta/batch.ts';
import { BatchBuilder } from '../../engine/delta/builder.ts';
import { buildOperator } from '../../engine/operator/build.ts';
import type { PhysicalNode } from '../../engine/plan/physical-node.ts';
import type { SqlType } from '../../sql/base/type.ts';
import type { TestTable } from '../property/history.ts';
import { planOf } from '../property/run-plan.ts';

const rowsTotal = Number(process.argv[2] ?? 1_000_000);
/** Cases to run; none = all. */
const wanted = process.argv.slice(3);
const PARTITIONS = 1000;
const ROWS_PER_EPOCH = 8192;

const column = (name: string, kind: 'integer' | 'timestamp'): TestTable['schema'][number] => ({
  name,
  type: { kind } as SqlType,
  nullable: false,
});

const table: TestTable = {
  name: 'e',
  appendOnly: true,
  schema: [column('k', 'integer'), column('t', 'timestamp'), column('v', 'integer')],
  domains: [[], [], []],
};

function batches(): Batch[] {
  const out: Batch[] = [];
  for (let from = 0; from < rowsTotal; from += ROWS_PER_EPOCH) {
    const builder = new BatchBuilder(table.schema);
    for (let i = from; i < Math.min(from + ROWS_PER_EPOCH, rowsTotal); i++) {
      builder.add([Math.imul(i, 0x9e3779b1) >>> 22, BigInt(i) * 1000n, i % 997]);
    }
    out.push(builder.take());
  }
  return out;
}

function windowNode(calls: string): PhysicalNode {
  const { nodes } = planOf(`SELECT k, t, v, ${calls} FROM e`, [table]);
  const node = nodes.find(({ kind }) => kind === 'window');
  if (node === undefined) throw new Error('the plan has no window');
  return node;
}

interface Figures {
  readonly microsPerRow: number;
  readonly rowsOut: number;
  readonly bytesPerRow: number;
}

function run(node: PhysicalNode, input: readonly Batch[]): Figures {
  const operator = buildOperator(node, (error) => {
    throw error;
  });
  // The scan feeds the columns in the order of the table, which is that of the node's input.
  let rowsOut = 0;
  const emit = (batch: Batch): void => {
    rowsOut += batch.length;
  };
  const started = process.cpuUsage();
  for (const batch of input) {
    operator.push(0, batch, emit);
    operator.flush(emit);
  }
  const { user, system } = process.cpuUsage(started);
  return {
    microsPerRow: (user + system) / rowsTotal,
    rowsOut,
    bytesPerRow: operator.stateBytes() / rowsTotal,
  };
}

const perKey = 'OVER (PARTITION BY k ORDER BY t';
const cases: readonly (readonly [name: string, call: string])[] = [
  ['running sum', `sum(v) ${perKey})`],
  ['running average', `avg(v) ${perKey} ROWS UNBOUNDED PRECEDING)`],
  ['running maximum', `max(v) ${perKey})`],
  ['row_number', `row_number() ${perKey})`],
  ['lag', `lag(v) ${perKey})`],
  ['sum of 10 rows', `sum(v) ${perKey} ROWS 9 PRECEDING)`],
  ['sum of 10 s', `sum(v) ${perKey} RANGE '10 s' PRECEDING)`],
];

const input = batches();
process.stdout.write(
  `${rowsTotal} rows, ${PARTITIONS} partitions, ${ROWS_PER_EPOCH} rows an epoch; µs of CPU a row\n`,
);
for (const [name, call] of cases) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  run(windowNode(call), input.slice(0, 10));
  const own = run(windowNode(call), input);
  const anew = run(windowNode(`${call}, ntile(1) ${perKey})`), input);
  const times = (anew.microsPerRow / own.microsPerRow).toFixed(1);
  process.stdout.write(
    `${name.padEnd(16)} ${own.microsPerRow.toFixed(2)}, ${own.rowsOut} rows out, ${own.bytesPerRow.toFixed(0)} B a row; anew ${anew.microsPerRow.toFixed(2)}, ${times} times\n`,
  );
}
