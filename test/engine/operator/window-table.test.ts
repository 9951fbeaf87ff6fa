import { after, before, test } from 'node:test';
import { WindowTableOperator } from '../../../engine/operator/window-table.ts';
import type { Schema } from '../../../sql/base/type.ts';
import type { WindowShape } from '../../../sql/logical-plan.ts';
import { closeJudge, openJudge, runs, type TestTable } from '../../property/history.ts';
import { checkOperator } from '../../property/play.ts';

before(openJudge);
after(closeJudge);

const table: TestTable = {
  name: 't',
  appendOnly: false,
  schema: [
    { name: 'k', type: { kind: 'integer' }, nullable: true },
    { name: 't', type: { kind: 'timestamp' }, nullable: true },
  ],
  domains: [
    [1, 2],
    [
      null,
      0n,
      -1n,
      1n,
      2_000_000n,
      1_999_999n,
      10_000_000n,
      1_752_000_000_000_001n,
      -62_135_596_800_000_000n,
    ],
  ],
};
const time = { kind: 'timestamp' } as const;
const output: Schema = [
  ...table.schema,
  { name: 'window_start', type: time, nullable: false },
  { name: 'window_end', type: time, nullable: false },
];

/** Windows that hold a row's time, found by trying the starts around it. */
function query(size: bigint, slide: bigint, offset: bigint): string {
  const span = `interval '${size} microseconds'`;
  const step = `interval '${slide} microseconds'`;
  const origin = `timestamp '1970-01-01' + interval '${offset} microseconds'`;
  return `SELECT k, t, s, s + ${span} FROM t, LATERAL (
    SELECT date_bin(${step}, t.t, ${origin}) - i * ${step} AS s FROM generate_series(0, ${size / slide + 1n}) AS i
  ) AS w WHERE s <= t AND t < s + ${span}`;
}

type Windows = WindowShape & { readonly kind: 'tumble' | 'hop' };

const second = 1_000_000n;
const shapes: readonly {
  readonly title: string;
  readonly window: Windows;
  readonly query: string;
}[] = [
  {
    title: 'tumbling windows of 2 s',
    window: { kind: 'tumble', sizeMicros: 2n * second, offsetMicros: 0n },
    query: query(2n * second, 2n * second, 0n),
  },
  {
    title: 'tumbling windows of a day that start at 3 o’clock',
    window: { kind: 'tumble', sizeMicros: 86_400n * second, offsetMicros: 10_800n * second },
    query: query(86_400n * second, 86_400n * second, 10_800n * second),
  },
  {
    title: 'hopping windows of 10 s every 2 s',
    window: { kind: 'hop', sizeMicros: 10n * second, slideMicros: 2n * second, offsetMicros: 0n },
    query: query(10n * second, 2n * second, 0n),
  },
  {
    title: 'hopping windows whose size is no multiple of the slide',
    window: {
      kind: 'hop',
      sizeMicros: 5n * second,
      slideMicros: 3n * second,
      offsetMicros: second,
    },
    query: query(5n * second, 3n * second, second),
  },
  {
    title: 'hopping windows with gaps',
    window: { kind: 'hop', sizeMicros: second, slideMicros: 2n * second, offsetMicros: 0n },
    query: query(second, 2n * second, 0n),
  },
];

for (const { title, window, query: text } of shapes) {
  test(title, () =>
    checkOperator({
      tables: [table],
      operator: () => new WindowTableOperator(output, window, 1),
      query: text,
      runs: Math.ceil(runs / 4),
    }),
  );
}
