/** Stored rows -> batches, column by column; for catching up and for snapshots. */
import duckdb from '@duckdb/node-bindings';
import type { SqlType } from '../../sql/base/type.ts';
import { Batch } from '../delta/batch.ts';
import { columnOf } from '../delta/builder.ts';
import { type BatchColumn, physicalOf, StringColumn } from '../delta/column.ts';
import { ReadStatement } from './read-statement.ts';
import type { ConnectionLender } from './reader-pool.ts';
import type { StoredRelation } from './store.ts';
import {
  readBytes,
  readNulls,
  stringBytes,
  type VectorReader,
  vectorReader,
} from './vector-read.ts';
import { COUNT_COLUMN, columnName, tableName } from './view-table.ts';

/** Largest weight of a batch row: weights are 32-bit. */
const WEIGHT_MAX = 2_147_483_647n;

/** The rows of a relation at its last commit; a bag's counts are the weights. */
export async function* scanRelation(
  readers: ConnectionLender,
  relation: StoredRelation,
): AsyncGenerator<Batch> {
  const bag = relation.storage.kind === 'bag';
  const names = relation.schema.map((_, i) => columnName(i));
  if (bag) names.push(COUNT_COLUMN);
  if (names.length === 0) names.push('1');
  const statement = await ReadStatement.start(
    readers,
    `SELECT ${names.join(', ')} FROM ${tableName(relation.id)}`,
  );
  try {
    const columns = relation.schema.map((column, i) =>
      columnReader(duckdb.column_logical_type(statement.result, i), column.type),
    );
    for (;;) {
      const chunk = await statement.next();
      if (chunk === undefined) return;
      const count = duckdb.data_chunk_get_size(chunk);
      const read = columns.map((column, i) =>
        column(duckdb.data_chunk_get_vector(chunk, i), count),
      );
      const weights = bag
        ? countsOf(duckdb.data_chunk_get_vector(chunk, columns.length), count)
        : null;
      yield new Batch(count, read, weights);
    }
  } finally {
    statement.close();
  }
}

function countsOf(vector: duckdb.Vector, count: number): Int32Array {
  const bytes = readBytes(vector, count * 8);
  const counts = new BigInt64Array(bytes.buffer, bytes.byteOffset, count);
  return Int32Array.from(counts, (n) => Number(n > WEIGHT_MAX ? WEIGHT_MAX : n));
}

type ColumnReader = (vector: duckdb.Vector, count: number) => BatchColumn;

function columnReader(logicalType: duckdb.LogicalType, type: SqlType): ColumnReader {
  const physical = physicalOf(type);
  switch (physical) {
    case 'i32':
      if (type.kind !== 'smallint') {
        return (vector, count) => {
          const bytes = readBytes(vector, count * 4);
          const values = new Int32Array(bytes.buffer, bytes.byteOffset, count);
          return { physical, values, nulls: readNulls(vector, count) };
        };
      }
      break;
    case 'i64':
      if (type.kind === 'bigint' || type.kind === 'time') {
        return (vector, count) => {
          const bytes = readBytes(vector, count * 8);
          const values = new BigInt64Array(bytes.buffer, bytes.byteOffset, count);
          return { physical, values, nulls: readNulls(vector, count) };
        };
      }
      break;
    case 'f64':
      if (type.kind === 'double') {
        return (vector, count) => {
          const bytes = readBytes(vector, count * 8);
          const values = new Float64Array(bytes.buffer, bytes.byteOffset, count);
          return { physical, values, nulls: readNulls(vector, count) };
        };
      }
      break;
    case 'str':
      return readText;
    case 'bool':
    case 'num':
    case 'obj':
      break;
  }
  const read: VectorReader = vectorReader(logicalType, type);
  return (vector, count) => columnOf(physical, read(vector, count));
}

/** Text stays bytes: whoever stores it again never decodes it. */
function readText(vector: duckdb.Vector, count: number): StringColumn {
  const nulls = readNulls(vector, count);
  const entries = readBytes(vector, count * 16);
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  const starts = new Int32Array(count);
  const lengths = new Int32Array(count);
  let total = 0;
  for (let row = 0; row < count; row++) {
    if (nulls !== null && nulls[row] === 1) continue;
    starts[row] = total;
    lengths[row] = view.getUint32(row * 16, true);
    total += lengths[row] as number;
  }
  const bytes = Buffer.allocUnsafe(total);
  for (let row = 0; row < count; row++) {
    if ((lengths[row] as number) > 0) bytes.set(stringBytes(view, row), starts[row]);
  }
  return StringColumn.ofBytes(bytes, starts, lengths, nulls);
}
