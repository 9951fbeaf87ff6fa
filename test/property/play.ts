import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Batch } from '../../engine/delta/batch.ts';
import type { Operator } from '../../engine/operator/operator.ts';
import {
  Bag,
  batchOf,
  type Epoch,
  type History,
  histories,
  postgresRows,
  Tables,
  type TestTable,
} from './history.ts';
import { emission, restarted } from './restart.ts';

export interface OperatorLaw {
  /** One a port. */
  readonly tables: readonly TestTable[];
  readonly operator: () => Operator;
  /** What PostgreSQL is asked over the tables after every epoch. */
  readonly query: string;
  readonly runs: number;
  /** Entries that the state may hold when all rows have gone; 0 when not given. */
  readonly entriesWhenEmpty?: number;
}

/**
 * After every epoch the sum of what an operator has emitted is PostgreSQL's answer over the present rows; a new operator
 * with its saved state emits the same batches in the next epoch, and takes its place; and when all rows have been taken
 * back, nothing of them is left in the state.
 */
export async function checkOperator(law: OperatorLaw): Promise<void> {
  await fc.assert(
    fc.asyncProperty(histories(law.tables), (history) => replay(law, history)),
    { numRuns: law.runs },
  );
}

export async function replay(law: OperatorLaw, history: History): Promise<void> {
  let operator = law.operator();
  const bag = new Bag(operator.schema);
  const tables = new Tables(law.tables);
  for (const epoch of history) {
    tables.apply(epoch);
    const twin = restarted(operator, law.operator());
    const emitted = runEpoch(law, operator, epoch);
    assert.deepEqual(emission(runEpoch(law, twin, epoch)), emission(emitted));
    operator = twin;
    for (const batch of emitted) bag.take(batch);
    const expected = await postgresRows(tables, law.query, operator.schema.length);
    assert.deepEqual(bag.rows(), expected);
  }
  if (law.tables.some((table) => table.appendOnly)) return;
  takeAllBack(law, history, operator, bag);
  assert.deepEqual(bag.rows(), await emptyAnswer(law));
  assert.ok(operator.stateEntries() <= (law.entriesWhenEmpty ?? 0), 'the state is empty again');
}

function runEpoch(law: OperatorLaw, operator: Operator, epoch: Epoch): readonly Batch[] {
  const emitted: Batch[] = [];
  const emit = (batch: Batch): void => {
    emitted.push(batch);
  };
  // Ports take turns, so that both orders of arrival are met.
  const batchesMax = Math.max(...epoch.map((batches) => batches.length));
  for (let i = 0; i < batchesMax; i++) {
    epoch.forEach((batches, port) => {
      const changes = batches[i] ?? [];
      const schema = law.tables[port]?.schema ?? [];
      if (changes.length > 0) operator.push(port, batchOf(schema, changes), emit);
    });
  }
  operator.flush(emit);
  return emitted;
}

/** One epoch that deletes every row, in the order in which the rows came. */
function takeAllBack(law: OperatorLaw, history: History, operator: Operator, bag: Bag): void {
  law.tables.forEach((table, port) => {
    const changes = history.flatMap((epoch) => epoch[port]?.flat() ?? []);
    if (changes.length === 0) return;
    const back = changes.map(({ row, weight }) => ({ row, weight: -weight }));
    operator.push(port, batchOf(table.schema, back), bag.take);
  });
  operator.flush(bag.take);
}

function emptyAnswer(law: OperatorLaw): Promise<string[]> {
  return postgresRows(new Tables(law.tables), law.query, law.operator().schema.length);
}
