import { compileFieldEncoder, type EncodedField } from '../engine/kernel/record-encoder.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { SourceRelation } from '../sql/catalog.ts';

/** The last one that a Date has. */
const TIME_MS_MAX = 8_640_000_000_000_000n;

export interface RowEncoder {
  readonly key: (row: Row) => Buffer | null;
  readonly value: (row: Row) => Buffer | null;
  /** What a row has behind the relation's columns, or in a `timestamp` metadata column. */
  readonly timestampMs: (row: Row) => number | undefined;
}

/** Rows of a relation as records of its topic, each column in its own place. */
export function recordEncoder(relation: SourceRelation): RowEncoder {
  const { schema, columns, input } = relation;
  const keyFields: EncodedField[] = [];
  const valueFields: EncodedField[] = [];
  const delimiter = input?.options.get('value_delimiter');
  let timestampColumn: number | undefined;
  columns.forEach(({ from }, column) => {
    const type = schema[column]?.type;
    if (type === undefined) return;
    if (from.kind === 'key') keyFields.push({ column, field: from.field, type });
    if (from.kind === 'value') valueFields.push({ column, field: from.field, type });
    if (from.kind === 'metadata' && from.item === 'timestamp') timestampColumn = column;
  });
  const key =
    keyFields.length === 0
      ? () => null
      : compileFieldEncoder(input?.keyFormat ?? 'kafka', keyFields, delimiter);
  const requireKey = (row: Row): Buffer | null => {
    if (hasKey(relation, row)) return key(row);
    throw new StreamError(
      'CONSTRAINT_NOT_NULL',
      `null value in the primary key of relation "${relation.name}" violates not-null constraint`,
    );
  };
  return {
    key: requireKey,
    value: compileFieldEncoder(input?.valueFormat ?? 'json', valueFields, delimiter),
    timestampMs: (row) => {
      const given = row[schema.length];
      if (typeof given === 'bigint') return recordTime(given);
      const micros = timestampColumn === undefined ? null : row[timestampColumn];
      return typeof micros === 'bigint' ? Number(micros / 1000n) : undefined;
    },
  };
}

/** Of a relation without a primary key, any row. */
export const hasKey = ({ primaryKey }: SourceRelation, row: Row): boolean =>
  primaryKey.every((column) => (row[column] ?? null) !== null);

/** @throws StreamError VALUE_OUT_OF_RANGE for what a log cannot keep. */
function recordTime(millis: bigint): number {
  if (millis >= 0n && millis <= TIME_MS_MAX) return Number(millis);
  throw new StreamError('VALUE_OUT_OF_RANGE', `ROWTIME ${millis} is no time of a record`, {
    hint: 'It is in milliseconds since 1970-01-01 UTC.',
  });
}
