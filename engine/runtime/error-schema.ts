/** Columns of the error relations: `<stream>_errors` for records, `<view>_errors` for rows of a plan. */
import type { Schema, SqlType } from '../../sql/base/type.ts';
import type { StoredRelation } from '../store/store.ts';

const HEADERS: SqlType = {
  kind: 'array',
  element: {
    kind: 'row',
    fields: [
      { name: 'key', type: { kind: 'text' }, nullable: true },
      { name: 'value', type: { kind: 'bytea' }, nullable: true },
    ],
  },
};

/** Records that are no rows of their stream; identified by partition and offset. */
export const RECORD_ERROR_SCHEMA: Schema = [
  { name: 'topic', type: { kind: 'text' }, nullable: false },
  { name: 'partition', type: { kind: 'integer' }, nullable: false },
  { name: 'offset', type: { kind: 'bigint' }, nullable: false },
  { name: 'timestamp', type: { kind: 'timestamptz' }, nullable: false },
  { name: 'sqlstate', type: { kind: 'text' }, nullable: false },
  { name: 'reason', type: { kind: 'text' }, nullable: false },
  { name: 'raw', type: { kind: 'bytea' }, nullable: true },
  { name: 'key', type: { kind: 'bytea' }, nullable: true },
  { name: 'headers', type: HEADERS, nullable: true },
  // The bytes above are only the record's beginning.
  { name: 'cut', type: { kind: 'boolean' }, nullable: false },
];

/** Positions in RECORD_ERROR_SCHEMA. */
export const RECORD_ERROR = {
  topic: 0,
  partition: 1,
  offset: 2,
  timestamp: 3,
  sqlstate: 4,
  reason: 5,
  raw: 6,
  key: 7,
  headers: 8,
  cut: 9,
} as const;

/** Rows that an expression of a plan fails for now. */
export const ROW_ERROR_SCHEMA: Schema = [
  { name: 'operator', type: { kind: 'text' }, nullable: false },
  { name: 'expression', type: { kind: 'text' }, nullable: true },
  { name: 'sqlstate', type: { kind: 'text' }, nullable: false },
  { name: 'reason', type: { kind: 'text' }, nullable: false },
  // What the operator read of the row, by column.
  { name: 'row', type: { kind: 'jsonb' }, nullable: false },
  { name: 'cut', type: { kind: 'boolean' }, nullable: false },
  // The record that the row is; NULL for rows that were computed from others.
  { name: 'topic', type: { kind: 'text' }, nullable: true },
  { name: 'partition', type: { kind: 'integer' }, nullable: true },
  { name: 'offset', type: { kind: 'bigint' }, nullable: true },
];

export function storedRecordErrors(id: number): StoredRelation {
  const key = [RECORD_ERROR.partition, RECORD_ERROR.offset];
  return { id, schema: RECORD_ERROR_SCHEMA, storage: { kind: 'keyed', key } };
}

export function storedRowErrors(id: number): StoredRelation {
  return { id, schema: ROW_ERROR_SCHEMA, storage: { kind: 'bag' } };
}
