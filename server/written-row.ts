/** Rows of a table, computed of the values that are given. */
import { compileScalar } from '../engine/kernel/scalar.ts';
import type { Row } from '../sql/base/datum.ts';
import type { WrittenRow } from '../sql/bound-statement.ts';

/** Generated columns see the values that are stored beside them: a default may give another value each time. */
export function compileRow({ row, generated }: WrittenRow): (given: Row) => Row {
  const plain = row.map(compileScalar);
  const over = generated.map((value) => value && compileScalar(value));
  return (given) => {
    const values = plain.map((value) => value(given));
    return values.map((value, column) => over[column]?.(values) ?? value);
  };
}
