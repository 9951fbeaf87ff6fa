import type { Datum } from '../../sql/base/datum.ts';
import {
  StoredBools,
  type StoredColumn,
  StoredDoubles,
  StoredInt32s,
  StoredInt64s,
} from './stored-column.ts';
import { StoredNumerics } from './stored-numerics.ts';
import { StoredObjects } from './stored-objects.ts';
import { StoredStrings } from './stored-strings.ts';

/** The datum of one row of state; for work that goes row by row. */
export type ReadCell = (row: number) => Datum | null;

export function cellReader(column: StoredColumn): ReadCell {
  const read = valueReader(column);
  return (row) => (column.isNull(row) ? null : read(row));
}

function valueReader({ values, physical }: StoredColumn): ReadCell {
  if (values instanceof StoredBools) {
    const { segments } = values;
    return (row) => segments.get(row) === 1;
  }
  if (values instanceof StoredInt32s || values instanceof StoredDoubles) {
    const { segments } = values;
    return (row) => segments.get(row);
  }
  if (values instanceof StoredInt64s) {
    const { segments } = values;
    return (row) => segments.get(row);
  }
  const known =
    values instanceof StoredNumerics ||
    values instanceof StoredStrings ||
    values instanceof StoredObjects;
  if (known) return (row) => values.get(row);
  throw new Error(`assertion failed: ${physical} values are not stored as such`);
}
