import type { SqlType } from '../../sql/base/type.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { physicalOf } from '../delta/column.ts';

/** Items of an IN list from which on a set is faster than comparing one by one. */
const LITERAL_SET_MIN = 8;

/** Kinds whose datums a Set tells apart as SQL does. */
const setKinds: ReadonlySet<SqlType['kind']> = new Set([
  'smallint',
  'integer',
  'bigint',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'text',
  'varchar',
  'uuid',
  'enum',
]);

interface LiteralSet {
  readonly set: ReadonlySet<unknown>;
  readonly withNull: boolean;
  /** The set holds 64-bit integers as doubles. */
  readonly integers: boolean;
}

/** The items of a long list of literals, to look up in place of a chain of comparisons. */
export function literalSet(
  items: readonly BoundExpr[],
  type: SqlType,
  fast: boolean,
): LiteralSet | undefined {
  if (items.length < LITERAL_SET_MIN || !setKinds.has(type.kind)) return undefined;
  const integers = fast && physicalOf(type) === 'i64';
  const set = new Set<unknown>();
  let withNull = false;
  for (const item of items) {
    if (item.kind !== 'literal') return undefined;
    if (item.value === null) withNull = true;
    else if (!integers) set.add(item.value);
    // What no double holds is equal to nothing that fast code holds.
    else if (Number.isSafeInteger(Number(item.value))) set.add(Number(item.value));
  }
  return { set, withNull, integers };
}
