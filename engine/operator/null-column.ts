import { assertNever } from '../../sql/base/assert.ts';
import { type BatchColumn, type Physical, StringColumn } from '../delta/column.ts';

/** A column of `count` NULLs. */
export function nullColumn(physical: Physical, count: number): BatchColumn {
  const nulls = new Uint8Array(count).fill(1);
  switch (physical) {
    case 'bool':
      return { physical, values: new Uint8Array(count), nulls };
    case 'i32':
      return { physical, values: new Int32Array(count), nulls };
    case 'i64':
      return { physical, values: new BigInt64Array(count), nulls };
    case 'f64':
      return { physical, values: new Float64Array(count), nulls };
    case 'num':
      return {
        physical,
        values: new BigInt64Array(count),
        scales: new Int16Array(count),
        wide: null,
        nulls,
      };
    case 'str':
      return StringColumn.ofBytes(
        Buffer.alloc(0),
        new Int32Array(count),
        new Int32Array(count),
        nulls,
      );
    case 'obj':
      return { physical, values: new Array<null>(count).fill(null), nulls };
    default:
      return assertNever(physical);
  }
}
