/**
 * Rows on their way into a table, in the outbox: each value as the text that reads as the same value, NULL as null, in a JSON array. A row that is there is the
 * record's value; one that is gone is its key.
 */
import type { ProduceRecord } from '../connectors/connector.ts';
import type { Batch } from '../engine/delta/batch.ts';
import { netChanges } from '../engine/view/row-change.ts';
import { assert } from '../sql/base/assert.ts';
import type { Row } from '../sql/base/datum.ts';
import { fromText } from '../sql/base/text-input.ts';
import { textWriter } from '../sql/base/text-output.ts';
import type { Schema } from '../sql/base/type.ts';

export interface SinkRowCodec {
  encode(row: Row): Buffer;
  decode(bytes: Buffer): Row;
}

export function rowCodec(schema: Schema): SinkRowCodec {
  const writers = schema.map(({ type }) => textWriter(type));
  return {
    encode: (row) => {
      const texts = writers.map((write, column) => {
        const value = row[column] ?? null;
        return value === null ? null : write(value);
      });
      return Buffer.from(JSON.stringify(texts));
    },
    decode: (bytes) => {
      const texts: unknown = JSON.parse(bytes.toString('utf8'));
      assert(Array.isArray(texts), 'the outbox holds what was encoded');
      return schema.map(({ type }, column) => {
        const text: unknown = texts[column];
        return typeof text === 'string' ? fromText(text, type) : null;
      });
    },
  };
}

/**
 * One record a change.
 * @param key         columns that tell rows apart; of rows that only come, later ones take the place of earlier ones with an equal key.
 * @param appendOnly  the order in which the rows came counts.
 */
export function encodeTableRows(
  schema: Schema,
  key: readonly number[],
  appendOnly: boolean,
): (batches: readonly Batch[]) => ProduceRecord[] {
  const { encode } = rowCodec(schema);
  if (appendOnly) {
    return (batches) => rowsOf(batches).map((row) => ({ key: null, value: encode(row) }));
  }
  return (batches) =>
    netChanges(schema, key, batches).map(({ op, row }) =>
      op === 'delete' ? { key: encode(row), value: null } : { key: null, value: encode(row) },
    );
}

/** Rows that only come, in their order. */
export function rowsOf(batches: readonly Batch[]): Row[] {
  return batches.flatMap((batch) => {
    const rows: Row[] = [];
    for (let at = 0; at < batch.length; at++) {
      const row = batch.row(at);
      for (let copies = batch.weight(at); copies > 0; copies--) rows.push(row);
    }
    return rows;
  });
}
