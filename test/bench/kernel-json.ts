/**
 * Prints what decoding JSON costs: million records a second and CPU seconds per million, for the
 * scanner under several projections and for JSON.parse, in one run. `node test/bench/kernel-json.ts [records]`
 */
import type { RecordBatch } from '../../connectors/connector.ts';
import { compileJsonScanner, type ScanField } from '../../engine/kernel/json-scanner.ts';
import type { SqlType } from '../../sql/base/type.ts';

const count = Number(process.argv[2] ?? 400_000);
const ROWS_PER_BATCH = 10_000;
const channels = ['Google', 'Facebook', 'Baidu', 'Apple'];

export function bid(i: number): string {
  const channel = channels[i % 4] as string;
  const at = new Date(1_700_000_000_000 + i * 10).toISOString().replace('T', ' ').slice(0, 23);
  const extra = 'kqxzjvbw'.repeat(9).slice(0, 40 + ((i * 7) % 25));
  return `{"auction":${1000 + ((i * 31) % 120_000)},"bidder":${1000 + ((i * 17) % 40_000)},"price":${100 + ((i * 7919) % 9_999_900)},"channel":"${channel}","url":"https://www.nexmark.com/abc/def/item.htm?query=${i % 10}","dateTime":"${at}","extra":"${extra}"}`;
}

export function batches(record: (i: number) => string, total: number): RecordBatch[] {
  const out: RecordBatch[] = [];
  for (let from = 0; from < total; from += ROWS_PER_BATCH) {
    const length = Math.min(ROWS_PER_BATCH, total - from);
    const values = Array.from({ length }, (_, i) => Buffer.from(record(from + i)));
    const valueStarts = new Int32Array(length);
    const valueLengths = new Int32Array(length);
    let at = 0;
    values.forEach((value, i) => {
      valueStarts[i] = at;
      valueLengths[i] = value.length;
      at += value.length;
    });
    out.push({
      partition: 0,
      length,
      bytes: Buffer.concat(values),
      valueStarts,
      valueLengths,
      keyStarts: undefined,
      keyLengths: undefined,
      offsets: Float64Array.from(values, (_, i) => from + i),
      timestampsMs: new Float64Array(length),
      headers: undefined,
    });
  }
  return out;
}

export function measure(name: string, records: number, run: () => void): void {
  run();
  run();
  const results: { rate: number; cpu: number }[] = [];
  for (let round = 0; round < 3; round++) {
    const cpu = process.cpuUsage();
    const started = performance.now();
    run();
    const seconds = (performance.now() - started) / 1000;
    const used = process.cpuUsage(cpu);
    results.push({
      rate: records / seconds / 1e6,
      cpu: ((used.user + used.system) / 1e6 / records) * 1e6,
    });
  }
  results.sort((a, b) => a.cpu - b.cpu);
  const median = results[1] as { rate: number; cpu: number };
  console.log(
    `${name.padEnd(46)} ${median.rate.toFixed(2).padStart(6)} M/s ${median.cpu.toFixed(3).padStart(7)} CPU s/M`,
  );
}

const field = (name: string, kind: SqlType['kind']): ScanField => ({
  field: name,
  type: { kind } as SqlType,
  notNull: false,
});
const auction = field('auction', 'bigint');
const bidder = field('bidder', 'bigint');
const price = field('price', 'bigint');
const channel = field('channel', 'text');
const url = field('url', 'text');
const dateTime = field('dateTime', 'timestamp');
const extra = field('extra', 'text');

function scanEach(fields: readonly ScanField[], input: readonly RecordBatch[]): () => void {
  const scanner = compileJsonScanner(fields);
  return () => {
    for (const records of input) {
      const { batch, errors } = scanner.scan(records, 0, records.length);
      if (batch.length !== records.length) throw errors[0]?.error ?? new Error('rows are missing');
    }
  };
}

if (import.meta.main) {
  const compact = batches(bid, count);
  const spaced = batches((i) => bid(i).replaceAll('":', '": ').replaceAll(',"', ', "'), count);
  const shuffled = batches((i) => {
    const members = bid(i).slice(1, -1).split(',"');
    const parts = members.map((m, k) => (k === 0 ? m : `"${m}`));
    return `{${[...parts.slice(i % 7), ...parts.slice(0, i % 7)].join(',')}}`;
  }, count);
  const bytes = (compact[0]?.bytes.length ?? 0) / ROWS_PER_BATCH;
  console.log(`${count} bids of ${bytes.toFixed(0)} bytes, node ${process.version}`);
  measure('JSON.parse', count, () => {
    for (const records of compact) {
      for (let r = 0; r < records.length; r++) {
        const start = records.valueStarts[r] as number;
        JSON.parse(records.bytes.utf8Slice(start, start + (records.valueLengths[r] as number)));
      }
    }
  });
  const all = [auction, bidder, price, channel, url, dateTime, extra];
  const four = [auction, bidder, price, dateTime];
  measure('no column', count, scanEach([], compact));
  measure('2 columns (auction, price)', count, scanEach([auction, price], compact));
  measure('4 columns (3 bigint, timestamp)', count, scanEach(four, compact));
  measure('7 columns', count, scanEach(all, compact));
  measure('4 columns, spaces after : and ,', count, scanEach(four, spaced));
  const optional = batches(
    (i) => (i % 3 === 0 ? bid(i).replace(/"url":"[^"]*",/, '') : bid(i)),
    count,
  );
  measure('4 columns, a third without one member', count, scanEach(four, optional));
  measure('4 columns, members in changing order', count, scanEach(four, shuffled));
  measure('7 columns, members in changing order', count, scanEach(all, shuffled));
}
