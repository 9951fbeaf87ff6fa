import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type {
  ProduceRecord,
  SinkChunk,
  SinkIdentity,
  SinkWriter,
} from '../../../connectors/connector.ts';
import { postgresConnector } from '../../../connectors/postgres/postgres-sink.ts';
import { compileRowText } from '../../../connectors/postgres/row-text.ts';
import type { Datum, Row } from '../../../sql/base/datum.ts';
import { makeInterval } from '../../../sql/base/interval.ts';
import { Numeric } from '../../../sql/base/numeric.ts';
import { toText } from '../../../sql/base/text-output.ts';
import {
  DATE_INFINITY,
  type Schema,
  type SqlType,
  TIMESTAMP_INFINITY,
  TIMESTAMP_NEGATIVE_INFINITY,
  typeName,
} from '../../../sql/base/type.ts';
import { needsPostgres, startPostgres, type TestPostgres } from '../../postgres/start-postgres.ts';
import { rejectsWith } from '../topic-log-contract.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 25);

const counts: Schema = [
  { name: 'k', type: { kind: 'integer' }, nullable: false },
  { name: 'Total', type: { kind: 'bigint' }, nullable: true },
];

describe('postgres sink', needsPostgres, () => {
  let postgres: TestPostgres;
  const opened: SinkWriter[] = [];
  let tables = 0;
  before(async () => {
    postgres = await startPostgres();
  });
  after(async () => {
    for (const writer of opened) await writer.close();
    await postgres.stop();
  });

  function place(): { table: string; sink: SinkIdentity } {
    tables++;
    return { table: `t${tables}`, sink: { id: tables, name: `sink-${tables}` } };
  }

  async function open(
    { table, sink }: ReturnType<typeof place>,
    schema: Schema,
    key: readonly number[],
    options: Record<string, string> = {},
  ): Promise<SinkWriter> {
    const all = new Map(Object.entries({ url: postgres.url, table, ...options }));
    postgresConnector.validate(all, schema, key, key.length === 0);
    const writer = await postgresConnector.open(all, schema, key, sink);
    opened.push(writer);
    return writer;
  }

  it('makes the table and keeps one row a key', async () => {
    const at = place();
    const writer = await open(at, counts, [0]);
    const change = compileRowText(counts, [0]);
    await writer.deliver([
      chunk(1, change({ op: 'insert', row: [1, 10n] }), change({ op: 'insert', row: [2, null] })),
      chunk(2, change({ op: 'delete', row: [2, null] }), change({ op: 'update', row: [1, 11n] })),
    ]);
    assert.deepEqual(await postgres.rows(`SELECT * FROM ${at.table}`), [['1', '11']]);
    assert.deepEqual(
      await postgres.rows(
        `SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
         WHERE attrelid = '${at.table}'::regclass AND attnum > 0 ORDER BY attnum`,
      ),
      [
        ['k', 'integer', 't'],
        ['Total', 'bigint', 'f'],
      ],
    );
  });

  it('writes every type so that PostgreSQL shows what Millrace shows', async () => {
    const at = place();
    const columns: [SqlType, Datum[]][] = [
      [{ kind: 'boolean' }, [true, false]],
      [{ kind: 'smallint' }, [-32768, 32767]],
      [{ kind: 'integer' }, [-2147483648, 2147483647]],
      [{ kind: 'bigint' }, [-9223372036854775808n, 9223372036854775807n]],
      [{ kind: 'real' }, [Math.fround(0.1), Number.NaN, Number.NEGATIVE_INFINITY]],
      [{ kind: 'double' }, [0.1, 5e-324, Number.POSITIVE_INFINITY, Number.NaN]],
      [{ kind: 'numeric' }, ['1.500', '-0.00001', `${'9'.repeat(60)}.25`, 'NaN'].map(numeric)],
      [{ kind: 'numeric', precision: 10, scale: 2 }, ['12345678.90', '0.01'].map(numeric)],
      [{ kind: 'text' }, ['', 'NULL', 'it\'s "quoted" \\ {a,b}', 'Zoë 🐎\n\t', ' x ']],
      [{ kind: 'varchar', length: 5 }, ['abcde', '']],
      [{ kind: 'char', length: 3 }, ['ab ', 'abc']],
      [{ kind: 'bytea' }, [new Uint8Array([0, 255, 92, 39]), new Uint8Array()]],
      [{ kind: 'date' }, [0, -719162, DATE_INFINITY, 2932896]],
      [{ kind: 'time' }, [0n, 86399999999n]],
      [{ kind: 'timestamp' }, [1n, -62135596800000000n, TIMESTAMP_INFINITY]],
      [{ kind: 'timestamp', precision: 3 }, [1_700_000_000_123_000n]],
      [{ kind: 'timestamptz' }, [1_700_000_000_123_456n, TIMESTAMP_NEGATIVE_INFINITY]],
      [{ kind: 'interval' }, [makeInterval(14, -3, 4_005_006n), makeInterval(0, 0, 0n)]],
      [{ kind: 'json' }, ['{"b" :  1, "a":[]}']],
      [{ kind: 'jsonb' }, ['{"a": [1, 2.50, null], "b": "x\\"y"}', 'null']],
      [{ kind: 'uuid' }, ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
      [
        { kind: 'array', element: { kind: 'integer' } },
        [
          [1, null, 3],
          [],
          [
            [1, 2],
            [3, 4],
          ],
        ],
      ],
      [{ kind: 'array', element: { kind: 'text' } }, [['a,b', '"', '\\', 'NULL', null, '']]],
      [{ kind: 'array', element: { kind: 'timestamptz' } }, [[0n, null]]],
    ];
    const schema: Schema = columns.map(([type], i) => ({ name: `c${i}`, type, nullable: true }));
    const height = Math.max(...columns.map(([, values]) => values.length));
    const rows: Row[] = Array.from({ length: height + 1 }, (_, r) =>
      columns.map(([, values]) => values[r] ?? null),
    );
    const writer = await open(at, schema, []);
    const change = compileRowText(schema, []);
    await writer.deliver([chunk(1, ...rows.map((row) => change({ op: 'insert', row })))]);
    const expected = rows.map((row) =>
      row.map((value, i) =>
        value === null ? null : toText(value, columns[i]?.[0] ?? { kind: 'text' }),
      ),
    );
    assert.deepEqual(await postgres.rows(`SELECT * FROM ${at.table}`), expected);
    const types = await postgres.rows(
      `SELECT format_type(atttypid, atttypmod) FROM pg_attribute
       WHERE attrelid = '${at.table}'::regclass AND attnum > 0 ORDER BY attnum`,
    );
    assert.deepEqual(
      types.flat(),
      columns
        .map(([type]) => typeName(type))
        .map((name) => (name === 'bpchar' ? 'character' : name)),
    );
  });

  it('keeps what a map of the same changes keeps, over repeated chunks and new writers', async () => {
    const schema: Schema = [
      { name: 'a', type: { kind: 'text' }, nullable: true },
      { name: 'b', type: { kind: 'numeric' }, nullable: true },
      { name: 'v', type: { kind: 'text' }, nullable: true },
    ];
    const word = fc.option(fc.constantFrom('', 'x', 'NULL', '"', '\\'), { nil: null });
    const amount = fc.option(fc.constantFrom('1', '1.0', '-2'), { nil: null });
    const epoch = fc.array(fc.tuple(word, amount, fc.option(word, { nil: undefined })), {
      minLength: 1,
      maxLength: 6,
    });
    const step = fc.record({
      epochs: fc.array(epoch, { minLength: 1, maxLength: 3 }),
      /** How many chunks of the step before come again first. */
      repeated: fc.nat(3),
      reopened: fc.boolean(),
    });
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 4 }),
      async (steps) => {
        const at = place();
        const change = compileRowText(schema, [0, 1]);
        const model = new Map<string, Row>();
        let writer = await open(at, schema, [0, 1]);
        let sequence = 0;
        let last: SinkChunk[] = [];
        for (const { epochs, repeated, reopened } of steps) {
          const chunks = epochs.map((changes) => {
            sequence += 3;
            return chunk(sequence, ...netRecords(changes, model, change));
          });
          const given = [...last.slice(Math.max(last.length - repeated, 0)), ...chunks];
          if (reopened) {
            await writer.close();
            writer = await open(at, schema, [0, 1]);
          }
          await writer.deliver(given);
          last = chunks;
        }
        await writer.close();
        const expected = [...model.values()]
          .map((row) => JSON.stringify(row.map((v) => (v === null ? null : String(v)))))
          .sort();
        const found = (await postgres.rows(`SELECT * FROM ${at.table}`))
          .map((row) => JSON.stringify(row))
          .sort();
        assert.deepEqual(found, expected);
      },
    );
    await fc.assert(property, { numRuns: runs });
  });

  it('turns away a writer that another one has followed', async () => {
    const at = place();
    const change = compileRowText(counts, []);
    const row = (k: number) => change({ op: 'insert', row: [k, 0n] });
    const old = await open(at, counts, []);
    await old.deliver([chunk(1, row(1))]);
    const young = await open(at, counts, []);
    assert.equal(young.position, 1);
    await young.deliver([chunk(2, row(2))]);
    // The first attempt may find its connection ended; the next one asks.
    await assert.rejects(old.deliver([chunk(2, row(99))]));
    await rejectsWith('SINK_FENCED', old.deliver([chunk(2, row(99))]));
    await young.deliver([chunk(3, row(3))]);
    assert.deepEqual(await postgres.rows(`SELECT k FROM ${at.table} ORDER BY k`), [
      ['1'],
      ['2'],
      ['3'],
    ]);
  });

  it('writes once what is repeated after its connection was cut', async () => {
    const at = place();
    const change = compileRowText(counts, []);
    const writer = await open(at, counts, []);
    let failures = 0;
    let running = true;
    const cutting = (async () => {
      while (running) {
        await postgres.rows(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${at.sink.name}'`,
        );
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    })();
    for (let sequence = 1; sequence <= 25; sequence++) {
      const rows = Array.from({ length: 50 }, (_, i) =>
        change({ op: 'insert', row: [sequence, BigInt(i)] }),
      );
      for (;;) {
        try {
          await writer.deliver([chunk(sequence, ...rows)]);
          break;
        } catch {
          failures++;
        }
      }
    }
    running = false;
    await cutting;
    assert.ok(failures > 0, 'the connection was cut');
    assert.deepEqual(
      await postgres.rows(
        `SELECT count(*), count(DISTINCT (k, "Total")), count(DISTINCT k) FROM ${at.table}`,
      ),
      [['1250', '1250', '25']],
    );
  });

  it('stops at a row that the table refuses, and goes on when that is mended', async () => {
    const at = place();
    await postgres.rows(`CREATE TABLE ${at.table} (k int, "Total" bigint CHECK ("Total" <> 7))`);
    const change = compileRowText(counts, []);
    const writer = await open(at, counts, []);
    const chunks = [1, 2, 3].map((n) =>
      chunk(
        n,
        ...[5, 6, 7, 8].map((total) =>
          change({ op: 'insert', row: [n, BigInt(total * (n === 2 ? 1 : 10))] }),
        ),
      ),
    );
    await assert.rejects(
      writer.deliver(chunks),
      (error: { code: string; message: string; detail: string }) => {
        assert.equal(error.code, 'SINK_REFUSED');
        assert.match(error.message, /violates check constraint/);
        assert.match(error.detail, /The row is \(2, 7\)/);
        return true;
      },
    );
    assert.deepEqual(await postgres.rows(`SELECT count(*) FROM ${at.table}`), [['0']]);
    await postgres.rows(`ALTER TABLE ${at.table} DROP CONSTRAINT "${at.table}_Total_check"`);
    await writer.deliver(chunks);
    assert.deepEqual(await postgres.rows(`SELECT count(*) FROM ${at.table}`), [['12']]);
  });

  it('leaves out refused rows, and only those, with on_error = skip', async () => {
    const at = place();
    await postgres.rows(`CREATE TABLE allowed (k int PRIMARY KEY);
      INSERT INTO allowed SELECT n FROM generate_series(1, 500) n WHERE n % 17 <> 0;
      CREATE TABLE ${at.table} (k int REFERENCES allowed DEFERRABLE INITIALLY DEFERRED, "Total" smallint)`);
    const change = compileRowText(counts, []);
    const writer = await open(at, counts, [], { on_error: 'skip' });
    const rows = Array.from({ length: 500 }, (_, i) =>
      change({ op: 'insert', row: [i + 1, i === 100 ? 40_000n : 1n] }),
    );
    const { skipped, reason } = await writer.deliver([chunk(1, ...rows)]);
    assert.equal(skipped, 29 + 1);
    assert.match(reason?.message ?? '', /violates foreign key constraint/);
    assert.deepEqual(
      await postgres.rows(`SELECT count(*) FROM ${at.table} WHERE k % 17 <> 0 AND k <> 101`),
      [['470']],
    );
    assert.deepEqual(await postgres.rows(`SELECT count(*) FROM ${at.table}`), [['470']]);
  });

  it('refuses a table that cannot take the rows, and says what is missing', async () => {
    const at = place();
    await postgres.rows(`CREATE TABLE ${at.table} (k int, "Total" bigint)`);
    await rejectsWith('SINK_REFUSED', open(at, counts, [0]));
    await postgres.rows(
      `CREATE UNIQUE INDEX ON ${at.table} (k, "Total"); CREATE INDEX ON ${at.table} (k)`,
    );
    await rejectsWith('SINK_REFUSED', open(at, counts, [0]));
    await postgres.rows(`CREATE UNIQUE INDEX ON ${at.table} (k)`);
    await open(at, counts, [0]);
    const wide: Schema = [...counts, { name: 'more', type: { kind: 'text' }, nullable: true }];
    await rejectsWith('SINK_REFUSED', open(at, wide, [0]));
    const check = async (options: Record<string, string>, key: readonly number[]): Promise<void> =>
      postgresConnector.validate(new Map(Object.entries(options)), counts, key, false);
    await rejectsWith('SQL_INVALID_OPTION', check({}, [0]));
    await rejectsWith('SQL_INVALID_OPTION', check({ table: 'a.b.c' }, [0]));
    await rejectsWith('SQL_INVALID_OPTION', check({ table: 't', mode: 'append' }, [0]));
    await rejectsWith('SQL_INVALID_OPTION', check({ table: 't', mode: 'upsert' }, []));
    await rejectsWith('SQL_INVALID_OPTION', check({ table: 't', url: 'mysql://x' }, [0]));
  });
});

function numeric(text: string): Numeric {
  return Numeric.parse(text);
}

function chunk(sequence: number, ...records: ProduceRecord[]): SinkChunk {
  return { sequence, records };
}

/** The net changes of one epoch, as the engine gives them: one a key, deletions first. */
function netRecords(
  changes: readonly (readonly [string | null, string | null, string | null | undefined])[],
  model: Map<string, Row>,
  encode: ReturnType<typeof compileRowText>,
): ProduceRecord[] {
  const before = new Map(model);
  const touched = new Set<string>();
  for (const [a, b, v] of changes) {
    // Equal numbers are one key, however many digits they show.
    const key = JSON.stringify([a, b === null ? null : Number(b)]);
    touched.add(key);
    if (v === undefined) model.delete(key);
    else model.set(key, [a, b === null ? null : numeric(b), v]);
  }
  const deletes: ProduceRecord[] = [];
  const rest: ProduceRecord[] = [];
  for (const key of touched) {
    const row = model.get(key);
    const old = before.get(key);
    if (row !== undefined) rest.push(encode({ op: old === undefined ? 'insert' : 'update', row }));
    else if (old !== undefined) deletes.push(encode({ op: 'delete', row: old }));
  }
  return [...deletes, ...rest];
}
