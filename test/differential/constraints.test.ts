/**
 * Random histories on tables with every kind of constraint, alone and in transactions, with restarts in between: PostgreSQL and a
 * whole Millrace database refuse the same statements with the same SQLSTATE, and hold the same rows after each.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { asBag, Judge, Subject } from './both-sides.ts';

const RUNS = Math.max(6, Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / 6));

const data = mkdtempSync(join(tmpdir(), 'millrace-constraints-'));
let judge: Judge;
let subject: Subject;
before(async () => {
  judge = await Judge.open();
  subject = await Subject.open(data);
});
after(async () => {
  await subject.close();
  await judge.close();
  rmSync(data, { recursive: true, force: true });
});

const TABLES = ['grand', 'parent', 'child', 'leaf', 'bag'];
const CLEAN = `DROP TABLE IF EXISTS ${TABLES.toReversed().join(', ')} CASCADE`;

/** The actions that a schema's foreign keys have. */
const action = fc.constantFrom('NO ACTION', 'RESTRICT', 'CASCADE', 'SET NULL', 'SET DEFAULT');
const setup = fc
  .tuple(action, action, action, action, fc.boolean(), fc.boolean())
  .map(([onDelete, onUpdate, leafDelete, leafUpdate, distinct, strict]) => [
    'CREATE TABLE grand (id integer PRIMARY KEY, boss integer REFERENCES grand ON DELETE CASCADE, v integer CHECK (v > 0))',
    `CREATE TABLE parent (id integer PRIMARY KEY, code text, g integer DEFAULT 1 REFERENCES grand ON DELETE ${leafDelete} ON UPDATE ${leafUpdate}, UNIQUE ${distinct ? '' : 'NULLS NOT DISTINCT'} (code))`,
    `CREATE TABLE child (id integer PRIMARY KEY, p integer ${strict ? 'NOT NULL' : 'DEFAULT 2'} REFERENCES parent ON DELETE ${onDelete} ON UPDATE ${onUpdate}, v integer CHECK (v < 100), UNIQUE (p, v))`,
    `CREATE TABLE leaf (code text REFERENCES parent (code) ON DELETE ${leafDelete} ON UPDATE ${leafUpdate}, n integer NOT NULL)`,
    'CREATE TABLE bag (a integer, b text, CONSTRAINT bag_a UNIQUE (a), CHECK (a > 0 OR b IS NOT NULL))',
    'CREATE UNIQUE INDEX bag_b ON bag (lower(b)) WHERE a IS NOT NULL',
    'INSERT INTO grand VALUES (1, NULL, 1), (2, 1, 2)',
    "INSERT INTO parent VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', NULL)",
    'INSERT INTO child VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1)',
    "INSERT INTO leaf VALUES ('a', 1), ('a', 1), ('b', 2), (NULL, 3)",
  ]);

const id = fc.integer({ min: 1, max: 5 });
const maybe = fc.constantFrom('1', '2', '3', '4', 'NULL', 'DEFAULT');
const small = fc.constantFrom('1', '2', '3', 'NULL', '0', '100');
const code = fc.constantFrom("'a'", "'b'", "'c'", "'B'", 'NULL');
const verb = fc.constantFrom('DO NOTHING', 'nothing');
const numbered = fc.oneof(
  fc.constant('NULL'),
  fc.constant('1'),
  fc.constant('3'),
  fc.constant('7'),
);

/** Keys of several rows at once are never moved: PostgreSQL compares them row by row, in an order that it leaves open. */
const statement = fc.oneof(
  fc
    .tuple(id, maybe, small)
    .map(
      ([k, p, v]) =>
        `INSERT INTO grand VALUES (${k}, ${p.replace('DEFAULT', '1')}, ${v}) RETURNING id`,
    ),
  fc.tuple(id, code, maybe).map(([k, c, g]) => `INSERT INTO parent VALUES (${k}, ${c}, ${g})`),
  fc
    .tuple(id, maybe, small, id, maybe, small)
    .map(
      ([k, p, v, k2, p2, v2]) =>
        `INSERT INTO child VALUES (${k}, ${p}, ${v}), (${k2}, ${p2}, ${v2})`,
    ),
  fc
    .tuple(id, maybe, small)
    .map(
      ([k, p, v]) =>
        `INSERT INTO child VALUES (${k}, ${p}, ${v}) ON CONFLICT DO NOTHING RETURNING *`,
    ),
  fc
    .tuple(id, maybe, small, small)
    .map(
      ([k, p, v, w]) =>
        `INSERT INTO child AS c VALUES (${k}, ${p}, ${v}) ON CONFLICT (v, p) DO UPDATE SET v = ${w} WHERE c.id <> 3 RETURNING *`,
    ),
  fc
    .tuple(id, maybe, small)
    .map(
      ([k, p, v]) =>
        `INSERT INTO child VALUES (${k}, ${p}, ${v}) ON CONFLICT ON CONSTRAINT child_pkey DO UPDATE SET p = excluded.p, v = excluded.v RETURNING *`,
    ),
  fc.tuple(code, id).map(([c, n]) => `INSERT INTO leaf VALUES (${c}, ${n})`),
  fc
    .tuple(numbered, code, verb)
    .map(
      ([a, b, v]) =>
        `INSERT INTO bag VALUES (${a}, ${b})${v === 'nothing' ? '' : ` ON CONFLICT ${v}`}`,
    ),
  fc
    .tuple(numbered, code)
    .map(
      ([a, b]) =>
        `INSERT INTO bag VALUES (${a}, ${b}) ON CONFLICT (a) DO UPDATE SET b = excluded.b RETURNING *`,
    ),
  fc
    .tuple(numbered, code)
    .map(
      ([a, b]) =>
        `INSERT INTO bag VALUES (${a}, ${b}) ON CONFLICT (lower(b)) WHERE a IS NOT NULL DO UPDATE SET a = excluded.a + 1 RETURNING *`,
    ),
  fc.tuple(id, id).map(([k, n]) => `UPDATE parent SET id = ${n} WHERE id = ${k} RETURNING id`),
  fc.tuple(id, code).map(([k, c]) => `UPDATE parent SET code = ${c} WHERE id = ${k}`),
  fc.tuple(id, id).map(([k, n]) => `UPDATE grand SET id = ${n} WHERE id = ${k}`),
  fc.tuple(id, maybe).map(([k, p]) => `UPDATE child SET p = ${p} WHERE id = ${k} RETURNING p`),
  fc.tuple(id, small).map(([k, v]) => `UPDATE child SET v = ${v} WHERE p = ${k}`),
  fc.tuple(code, id).map(([c, n]) => `UPDATE leaf SET code = ${c} WHERE n <= ${n}`),
  fc.tuple(numbered, code).map(([a, b]) => `UPDATE bag SET a = ${a} WHERE b = ${b}`),
  id.map(
    (k) =>
      `UPDATE parent p SET code = 'x' || c.v FROM child c WHERE c.p = p.id AND c.id = ${k} RETURNING p.id, code`,
  ),
  id.map((k) => `DELETE FROM parent WHERE id = ${k} RETURNING id`),
  id.map((k) => `DELETE FROM parent WHERE id >= ${k}`),
  id.map((k) => `DELETE FROM grand WHERE id = ${k} RETURNING id`),
  id.map((k) => `DELETE FROM child WHERE id = ${k}`),
  id.map(
    (k) =>
      `DELETE FROM leaf USING parent WHERE leaf.code = parent.code AND parent.id = ${k} RETURNING n`,
  ),
  code.map((c) => `DELETE FROM bag WHERE b = ${c}`),
  fc.constantFrom(
    'TRUNCATE grand',
    'TRUNCATE grand CASCADE',
    'TRUNCATE leaf, child',
    'TRUNCATE bag',
  ),
);

const some = fc.array(statement, { minLength: 1, maxLength: 4, size: 'max' });
const block = fc
  .tuple(some, some, some, fc.boolean(), fc.constantFrom('COMMIT', 'COMMIT', 'ROLLBACK'))
  .map(([first, undone, last, isBack, end]) => [
    'BEGIN',
    ...first,
    'SAVEPOINT s',
    ...undone,
    ...(isBack ? ['ROLLBACK TO s'] : []),
    ...last,
    end,
  ]);
const step = fc.oneof(
  { weight: 8, arbitrary: statement.map((sql) => [sql]) },
  { weight: 2, arbitrary: block },
  { weight: 1, arbitrary: fc.constant(['restart']) },
);

async function sameRows(history: string): Promise<void> {
  for (const table of TABLES) {
    const sql = `SELECT * FROM ${table}`;
    assert.deepEqual(asBag(await subject.run(sql)), asBag(await judge.run(sql)), history);
  }
}

test('constraints refuse what PostgreSQL refuses, and nothing else', async () => {
  const refused = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      setup,
      fc.array(step, { minLength: 4, maxLength: 24, size: 'max' }),
      async (schema, chunks) => {
        const steps = chunks.flat();
        for (const sql of [CLEAN, ...schema]) {
          await judge.run(sql);
          const answer = await subject.run(sql);
          assert.equal(answer.kind, 'answered', `${sql}: ${JSON.stringify(answer)}`);
        }
        const done: string[] = [...schema];
        let isOpen = false;
        for (const sql of steps) {
          if (sql === 'restart') {
            if (!isOpen) await subject.reopen();
            continue;
          }
          done.push(sql);
          const history = done.join(';\n');
          const postgres = await judge.run(sql);
          const millrace = await subject.run(sql);
          if (postgres.kind === 'failed' || millrace.kind === 'failed') {
            const [want, got] = [postgres, millrace].map((one) =>
              one.kind === 'failed' ? one.sqlstate : 'answered',
            );
            assert.equal(got, want, `${JSON.stringify([postgres, millrace])}\n${history}`);
            refused.set(want ?? '', (refused.get(want ?? '') ?? 0) + 1);
          } else {
            assert.deepEqual(asBag(millrace), asBag(postgres), history);
          }
          if (sql === 'BEGIN') isOpen = true;
          if (sql === 'COMMIT' || sql === 'ROLLBACK') isOpen = false;
          const isAborted = isOpen && postgres.kind === 'failed';
          if (!isAborted && !/SAVEPOINT|BEGIN/.test(sql)) {
            if (postgres.kind === 'answered' || !isOpen) await sameRows(history);
          }
        }
        await judge.run('ROLLBACK');
        await subject.run('ROLLBACK');
        await sameRows(done.join(';\n'));
      },
    ),
    { numRuns: RUNS },
  );
  for (const sqlstate of ['23502', '23503', '23505', '23514']) {
    assert.ok((refused.get(sqlstate) ?? 0) > 0, `${sqlstate} in ${JSON.stringify([...refused])}`);
  }
});
