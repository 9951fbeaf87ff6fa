/**
 * Transactions of several sessions at once. What commits must be as if it had run alone, one after the other in the order of
 * the commits: PostgreSQL runs it so, and answers the same.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type Answer, asBag, Judge, Subject } from './both-sides.ts';

const SESSIONS = ['one', 'two', 'three'];
const RUNS = Math.max(8, Math.ceil(Number(process.env.MILLRACE_TEST_RUNS ?? 100) / 8));
const SETUP = [
  'DROP TABLE IF EXISTS keyed',
  'DROP TABLE IF EXISTS bag',
  'CREATE TABLE keyed (id integer PRIMARY KEY, v numeric)',
  'CREATE TABLE bag (a integer, b double precision)',
  'INSERT INTO keyed VALUES (1, 10), (2, 20.0), (3, NULL)',
  "INSERT INTO bag VALUES (1, 0), (1, 0), (2, '-0'), (NULL, NULL)",
];

let judge: Judge;
let subject: Subject;
before(async () => {
  judge = await Judge.open();
  subject = await Subject.open();
});
after(async () => {
  await subject.close();
  await judge.close();
});

const id = fc.integer({ min: 1, max: 4 });
const value = fc.constantFrom('1', '2.50', 'NULL', '-3');
const increment = fc.tuple(id, fc.integer({ min: 1, max: 9 })).map(([k, n]) => {
  return `UPDATE keyed SET v = v + ${n} WHERE id = ${k} AND v IS NOT NULL`;
});
const anything = fc.oneof(
  increment,
  fc.tuple(id, value).map(([k, v]) => `INSERT INTO keyed VALUES (${k}, ${v})`),
  fc
    .tuple(id, value)
    .map(
      ([k, v]) =>
        `INSERT INTO keyed VALUES (${k}, ${v}) ON CONFLICT (id) DO UPDATE SET v = keyed.v + 1 RETURNING id, v`,
    ),
  id.map((k) => `DELETE FROM keyed WHERE id >= ${k} RETURNING id`),
  fc.tuple(id, id).map(([k, n]) => `UPDATE keyed SET id = id + ${n} WHERE id = ${k}`),
  id.map((k) => `INSERT INTO bag SELECT id, v FROM keyed WHERE id <> ${k}`),
  id.map((k) => `DELETE FROM bag WHERE a = ${k}`),
  id.map((k) => `UPDATE bag SET b = -b WHERE a <= ${k}`),
  fc.constant('SELECT count(*), sum(v), min(id) FROM keyed'),
  fc.constant('SELECT * FROM bag'),
  fc.constant('SELECT k.id, b.b FROM keyed k LEFT JOIN bag b ON b.a = k.id'),
  fc.constant('TRUNCATE bag'),
);

interface Done {
  readonly sql: string;
  readonly answer: Answer;
}

type Step = readonly [session: number, sql: string];

/** Plays the steps and gives what each committed transaction did, in the order of the commits. */
async function play(steps: readonly Step[], level: string): Promise<(readonly Done[])[]> {
  const committed: (readonly Done[])[] = [];
  const open = new Map<string, Done[]>();
  const end = async (session: string): Promise<void> => {
    const answer = await subject.run('COMMIT', session);
    const done = open.get(session) ?? [];
    open.delete(session);
    if (answer.kind === 'answered' && answer.tag === 'COMMIT') committed.push(done);
    else if (answer.kind === 'failed') assert.equal(answer.sqlstate, '40001', answer.message);
  };
  for (const [number, sql] of steps) {
    const session = SESSIONS[number] ?? '';
    const known = open.get(session);
    if (known === undefined) {
      await subject.run(`BEGIN ISOLATION LEVEL ${level}`, session);
      open.set(session, []);
    } else if (sql === 'COMMIT') {
      await end(session);
      continue;
    }
    if (sql === 'COMMIT') continue;
    const done = open.get(session);
    const answer = await subject.run(sql, session);
    if (answer.kind === 'answered') {
      done?.push({ sql, answer });
      continue;
    }
    // Only what the data refuses or somebody else has changed may fail.
    assert.ok(['23505', '40001', '25P02', '21000'].includes(answer.sqlstate), answer.message);
    if (answer.sqlstate === '25P02') continue;
    done?.splice(0);
  }
  for (const session of [...open.keys()].toSorted()) await end(session);
  return committed;
}

const stepsOf = (statement: fc.Arbitrary<string>): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.tuple(
      fc.integer({ min: 0, max: SESSIONS.length - 1 }),
      fc.oneof(
        { weight: 5, arbitrary: statement },
        { weight: 2, arbitrary: fc.constant('COMMIT') },
      ),
    ),
    { minLength: 4, maxLength: 24, size: 'max' },
  );

async function begin(): Promise<void> {
  for (const sql of SETUP) {
    await judge.run(sql);
    const answer = await subject.run(sql);
    assert.equal(answer.kind, 'answered', sql);
  }
}

async function sameTables(history: string): Promise<void> {
  for (const sql of ['SELECT * FROM keyed', 'SELECT * FROM bag']) {
    assert.deepEqual(asBag(await subject.run(sql)), asBag(await judge.run(sql)), history);
  }
}

test('serializable transactions answer as if each ran alone', async () => {
  let conflicts = 0;
  let commits = 0;
  await fc.assert(
    fc.asyncProperty(stepsOf(anything), async (steps) => {
      await begin();
      const committed = await play(steps, 'SERIALIZABLE');
      const history = JSON.stringify(steps);
      for (const done of committed) {
        commits++;
        for (const { sql, answer } of done) {
          assert.deepEqual(asBag(answer), asBag(await judge.run(sql)), `${sql} in ${history}`);
        }
      }
      conflicts += new Set(steps.map(([session]) => session)).size - committed.length;
      await sameTables(history);
    }),
    { numRuns: RUNS },
  );
  assert.ok(commits > RUNS, `${commits} commits, ${conflicts} sessions without`);
});

test('no increment of a row is lost in read committed', async () => {
  await fc.assert(
    fc.asyncProperty(stepsOf(increment), async (steps) => {
      await begin();
      for (const done of await play(steps, 'READ COMMITTED')) {
        for (const { sql } of done) await judge.run(sql);
      }
      await sameTables(JSON.stringify(steps));
    }),
    { numRuns: RUNS },
  );
});
