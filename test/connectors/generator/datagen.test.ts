import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { datagenConnector } from '../../../connectors/generator/datagen.ts';
import type { Column, SqlType } from '../../../sql/base/type.ts';
import { readRecords } from '../reading.ts';
import { earliest, rejectsWith } from '../topic-log-contract.ts';

const connector = datagenConnector(() => performance.now());

function schema(columns: Record<string, SqlType>): Column[] {
  return Object.entries(columns).map(([name, type]) => ({ name, type, nullable: true }));
}

async function rows(
  columns: Record<string, SqlType>,
  options: Record<string, string>,
  from = 0,
): Promise<Record<string, unknown>[]> {
  const all = new Map(Object.entries({ 'rows-per-second': '0', ...options }));
  const reader = await connector.open(all, schema(columns), {
    offsets: new Map([[0, from]]),
    otherwise: 'earliest',
  });
  const end = (await reader.endOffsets()).get(0) ?? 0;
  const records = await readRecords(reader, Math.min(end, 10_000) - from, 5000);
  await reader.close();
  return records.map((record) => JSON.parse(record.value?.toString() ?? ''));
}

describe('datagen', () => {
  it('fills every type within its rule', async () => {
    const columns: Record<string, SqlType> = {
      id: { kind: 'bigint' },
      small: { kind: 'smallint' },
      amount: { kind: 'numeric', precision: 10, scale: 2 },
      ratio: { kind: 'double' },
      name: { kind: 'text' },
      city: { kind: 'varchar', length: 20 },
      ok: { kind: 'boolean' },
      at: { kind: 'timestamptz' },
      day: { kind: 'date' },
      key: { kind: 'uuid' },
    };
    const made = await rows(columns, {
      'number-of-rows': '2000',
      'rows-per-second': '0',
      'fields.id.kind': 'sequence',
      'fields.id.start': '5',
      'fields.small.min': '-3',
      'fields.small.max': '3',
      'fields.amount.min': '1',
      'fields.amount.max': '2',
      'fields.name.length': '4',
      'fields.city.values': 'Kyiv, "Ulm"',
      'fields.ok.null-rate': '0.5',
    });
    assert.equal(made.length, 2000);
    const smalls = new Set(made.map((row) => row.small));
    assert.deepEqual(
      [...smalls].sort((a, b) => Number(a) - Number(b)),
      [-3, -2, -1, 0, 1, 2, 3],
    );
    for (const [i, row] of made.entries()) {
      assert.equal(row.id, 5 + i);
      assert.ok(Number(row.amount) >= 1 && Number(row.amount) <= 2);
      assert.match(String(row.name), /^[a-z0-9]{4}$/);
      assert.ok(row.city === 'Kyiv' || row.city === '"Ulm"');
      assert.match(String(row.at), /^2024-01-01T00:00:00\.\d{3}Z$/);
      assert.match(String(row.day), /^\d{4}-\d\d-\d\d$/);
      assert.match(
        String(row.key),
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
    }
    const nulls = made.filter((row) => row.ok === null).length;
    assert.ok(nulls > 850 && nulls < 1150, `${nulls} NULLs`);
  });

  it('ends with its sequence and resumes anywhere', async () => {
    const columns: Record<string, SqlType> = { n: { kind: 'integer' }, x: { kind: 'bigint' } };
    const options = { 'fields.n.kind': 'sequence', 'fields.n.start': '1', 'fields.n.end': '50' };
    const whole = await rows(columns, options);
    assert.equal(whole.length, 50);
    assert.deepEqual(await rows(columns, options, 40), whole.slice(40));
    assert.deepEqual(
      await rows(columns, { ...options, seed: '1' }),
      await rows(columns, { ...options, seed: '1' }),
    );
    assert.notDeepEqual(await rows(columns, { ...options, seed: '1' }), whole);
  });

  it('keeps its pace and advances time by it', async () => {
    let nowMs = 0;
    const paced = datagenConnector(() => nowMs);
    const columns = schema({ at: { kind: 'timestamp' } });
    const reader = await paced.open(new Map([['rows-per-second', '10']]), columns, earliest);
    nowMs = 1050;
    const records = await readRecords(reader, 10);
    assert.equal(records.at(-1)?.value?.toString(), '{"at":"2024-01-01T00:00:00.900Z"}');
    await reader.close();
  });

  it('names a wrong option', async () => {
    const columns = schema({ n: { kind: 'integer' }, b: { kind: 'bytea' } });
    const numbers = columns.slice(0, 1);
    const check = async (options: Record<string, string>, of: Column[]): Promise<void> =>
      connector.validate(new Map(Object.entries(options)), of);
    await rejectsWith('SQL_INVALID_OPTION', check({ 'fields.m.kind': 'random' }, numbers));
    await rejectsWith('SQL_INVALID_OPTION', check({ 'fields.n.kind': 'other' }, numbers));
    await rejectsWith('SQL_INVALID_OPTION', check({ 'fields.n.max': '99999999999' }, numbers));
    await rejectsWith(
      'SQL_INVALID_OPTION',
      check({ 'fields.n.min': '5', 'fields.n.max': '4' }, numbers),
    );
    await rejectsWith('SQL_NOT_SUPPORTED', check({}, columns));
  });
});
