/** Records that arrive over HTTP, on their way into a stream's topic. */
import type { ProduceRecord, RecordBatch } from '../connectors/connector.ts';
import { compileJsonScanner } from '../engine/kernel/json-scanner.ts';
import { StreamError } from '../sql/base/error.ts';
import type { SourceRelation } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import type { IngestRecord } from './database.ts';
import { logOf } from './definitions.ts';
import { recordEncoder } from './record-encoder.ts';

/**
 * Settles when the records are durable. Values go into the topic as they came, so that a bad one is judged (and kept in
 * the error table) where all others are; only columns of the record's key are taken out of the value first.
 * @throws StreamError VIEW_UNKNOWN, SQL_WRONG_OBJECT_TYPE, PRESSURE; RECORD_MALFORMED for a key that cannot be read.
 */
export async function ingestRecords(
  core: Core,
  name: string,
  records: readonly IngestRecord[],
): Promise<{ readonly accepted: number }> {
  const relation = core.catalog.relation(name);
  if (relation === undefined || (relation.kind !== 'stream' && relation.kind !== 'table')) {
    throw new StreamError('VIEW_UNKNOWN', `stream "${name}" does not exist`);
  }
  const log = logOf(core.connectors, relation);
  if (log === undefined || relation.input === undefined || relation.readOnly) {
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${name}" does not take records`, {
      hint: 'Streams and tables over a topic do; use INSERT for other tables.',
    });
  }
  await log.produce(relation.input.topic, keyedRecords(relation, records));
  return { accepted: records.length };
}

function keyedRecords(
  relation: SourceRelation,
  records: readonly IngestRecord[],
): readonly ProduceRecord[] {
  const keyColumns = relation.columns.flatMap(({ from }, i) => (from.kind === 'key' ? [i] : []));
  if (keyColumns.length === 0) return records.map(({ value }) => ({ key: null, value }));
  const scanner = compileJsonScanner(
    keyColumns.map((index) => {
      const column = relation.schema[index];
      return {
        field: column?.name ?? '',
        type: column?.type ?? { kind: 'text' as const },
        notNull: relation.primaryKey.includes(index),
      };
    }),
  );
  const { batch, errors } = scanner.scan(recordBatch(records), 0, records.length);
  const [failed] = errors;
  if (failed !== undefined) {
    throw new StreamError('RECORD_MALFORMED', `record ${failed.record}: ${failed.error.message}`, {
      hint: 'Nothing of this request was written.',
    });
  }
  const encode = recordEncoder(relation);
  return records.map(({ value }, i) => {
    const row: (ReturnType<typeof batch.row>[number] | null)[] = relation.schema.map(() => null);
    const key = batch.row(i);
    keyColumns.forEach((column, at) => {
      row[column] = key[at] ?? null;
    });
    return { key: encode.key(row), value };
  });
}

function recordBatch(records: readonly IngestRecord[]): RecordBatch {
  const bytes = Buffer.concat(records.map(({ value }) => value));
  const valueStarts = new Int32Array(records.length);
  const valueLengths = new Int32Array(records.length);
  let at = 0;
  records.forEach(({ value }, i) => {
    valueStarts[i] = at;
    valueLengths[i] = value.length;
    at += value.length;
  });
  return {
    partition: 0,
    length: records.length,
    bytes,
    valueStarts,
    valueLengths,
    keyStarts: undefined,
    keyLengths: undefined,
    offsets: new Float64Array(records.length),
    timestampsMs: new Float64Array(records.length),
    headers: undefined,
  };
}
