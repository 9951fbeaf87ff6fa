/** Prints what writing rows as JSON costs, beside JSON.stringify of the same rows. `node test/bench/kernel-encode.ts [rows]` */
import { compileJsonEncoder } from '../../engine/kernel/json-encoder.ts';
import { compileJsonScanner } from '../../engine/kernel/json-scanner.ts';
import type { Schema, SqlType } from '../../sql/base/type.ts';
import { batches, bid, measure } from './kernel-json.ts';

const count = Number(process.argv[2] ?? 400_000);
const kinds: readonly (readonly [string, SqlType['kind']])[] = [
  ['auction', 'bigint'],
  ['bidder', 'bigint'],
  ['price', 'numeric'],
  ['channel', 'text'],
  ['url', 'text'],
  ['dateTime', 'timestamp'],
  ['extra', 'text'],
];
const schema: Schema = kinds.map(([name, kind]) => ({
  name,
  type: { kind } as SqlType,
  nullable: true,
}));
const scanner = compileJsonScanner(
  schema.map(({ name, type }) => ({ field: name, type, notNull: false })),
);
const input = batches(bid, count).map((records) => scanner.scan(records, 0, records.length).batch);
const encoder = compileJsonEncoder(schema, { layout: 'object' });
const plain = batches(bid, count).flatMap((records) =>
  Array.from({ length: records.length }, (_, r): unknown => {
    const start = records.valueStarts[r] as number;
    return JSON.parse(records.bytes.utf8Slice(start, start + (records.valueLengths[r] as number)));
  }),
);
measure('7 columns as JSON objects', count, () => {
  for (const batch of input) encoder.encode(batch);
});
measure('JSON.stringify and Buffer.from', count, () => {
  for (const value of plain) Buffer.from(JSON.stringify(value));
});
