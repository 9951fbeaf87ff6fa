/**
 * Prints what generated filters and projections cost on Nexmark bids in columns: million rows a second and CPU seconds
 * per million. `node test/bench/kernel-expression.ts [rows]`
 */
import type { Batch } from '../../engine/delta/batch.ts';
import { compileProjection } from '../../engine/kernel/expression.ts';
import { compileJsonScanner } from '../../engine/kernel/json-scanner.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { fromText } from '../../sql/base/text-input.ts';
import type { Schema, SqlType } from '../../sql/base/type.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { registry } from '../../sql/function/builtin.ts';
import { batches, bid, measure } from './kernel-json.ts';

const count = Number(process.argv[2] ?? 400_000);
const bigint: SqlType = { kind: 'bigint' };
const text: SqlType = { kind: 'text' };
const boolean: SqlType = { kind: 'boolean' };
const numeric: SqlType = { kind: 'numeric' };
const timestamp: SqlType = { kind: 'timestamp' };
const fields = [
  ['auction', bigint],
  ['bidder', bigint],
  ['price', bigint],
  ['channel', text],
  ['dateTime', timestamp],
] as const;
const schema: Schema = fields.map(([name, type]) => ({ name, type, nullable: true }));

const column = (name: string): BoundExpr => {
  const index = schema.findIndex((c) => c.name === name);
  return { kind: 'column', index, type: schema[index]?.type ?? text };
};
const literal = (type: SqlType, value: string): BoundExpr => ({
  kind: 'literal',
  type,
  value: fromText(value, type) as Datum,
});
const call = (name: string, type: SqlType, ...args: BoundExpr[]): BoundExpr => {
  const kinds = args.map((arg) => arg.type.kind).join();
  const fn = registry.scalars(name).find((f) => f.parameters.map((p) => p.kind).join() === kinds);
  if (fn === undefined) throw new Error(`no ${name}(${kinds})`);
  return { kind: 'call', type, fn, args };
};
const cast = (operand: BoundExpr, type: SqlType): BoundExpr => {
  const fn = registry.cast(operand.type, type, 'explicit')?.fn;
  return { kind: 'cast', type, operand, fn, try: false };
};

const scanner = compileJsonScanner(
  fields.map(([field, type]) => ({ field, type, notNull: false })),
);
const input: Batch[] = batches(bid, count).map(
  (records) => scanner.scan(records, 0, records.length).batch,
);
const run = (where: BoundExpr | undefined, ...expressions: BoundExpr[]) => {
  const projection = compileProjection(schema, where, expressions);
  return () => {
    for (const batch of input) {
      projection(batch, (error) => {
        throw error;
      });
    }
  };
};

const all = schema.map(({ name }) => column(name));
const price = column('price');
console.log(`${count} rows in batches of ${input[0]?.length}, node ${process.version}`);
measure('q0: columns as they are', count, run(undefined, ...all));
measure(
  'q1: 0.908 * price (numeric)',
  count,
  run(undefined, ...all, call('*', numeric, literal(numeric, '0.908'), cast(price, numeric))),
);
measure(
  'q2: auction % 123 = 0',
  count,
  run(
    call(
      '=',
      boolean,
      call('%', bigint, column('auction'), literal(bigint, '123')),
      literal(bigint, '0'),
    ),
    column('auction'),
    price,
  ),
);
measure(
  "channel = 'Apple'",
  count,
  run(call('=', boolean, column('channel'), literal(text, 'Apple')), ...all),
);
measure(
  'price * 2 + bidder (bigint)',
  count,
  run(
    undefined,
    call('+', bigint, call('*', bigint, price, literal(bigint, '2')), column('bidder')),
  ),
);
const when = (limit: string, result: string) => ({
  when: call('<', boolean, price, literal(bigint, limit)),
  // biome-ignore lint/suspicious/noThenProperty: the contract of a CASE expression names it so.
  then: literal(text, result),
});
measure(
  'CASE price < 10000, < 1000000 (three texts)',
  count,
  run(undefined, {
    kind: 'case',
    type: text,
    whens: [when('10000', 'low'), when('1000000', 'middle')],
    otherwise: literal(text, 'high'),
  }),
);
measure(
  "date_trunc('hour', dateTime)",
  count,
  run(undefined, call('date_trunc', timestamp, literal(text, 'hour'), column('dateTime'))),
);
measure('upper(channel)', count, run(undefined, call('upper', text, column('channel'))));
measure(
  'price / 3 (numeric, exact way only)',
  count,
  run(undefined, call('/', numeric, cast(price, numeric), literal(numeric, '3'))),
);
