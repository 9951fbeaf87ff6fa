/** MATCH_RECOGNIZE by hand: known examples, and what random patterns do not reach. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MatchTableOperator } from '../../../engine/operator/match-table.ts';
import type { ReportRowError } from '../../../engine/operator/operator.ts';
import type { Row } from '../../../sql/base/datum.ts';
import type { StreamError } from '../../../sql/base/error.ts';
import type { Schema } from '../../../sql/base/type.ts';
import { batchOf, type Change, type TestTable } from '../../property/history.ts';
import { PlanRunner, planOf } from '../../property/run-plan.ts';

const schema: Schema = [
  { name: 'id', type: { kind: 'integer' }, nullable: true },
  { name: 'v', type: { kind: 'integer' }, nullable: true },
];
const table: TestTable = { name: 'r', schema, domains: [], appendOnly: false };

const silent: ReportRowError = () => {};

const added = (rows: readonly Row[]): Change[] => rows.map((row) => ({ row, weight: 1 }));

/** Rows numbered from 1. */
const numbered = (values: readonly (number | null)[]): Row[] => values.map((v, i) => [i + 1, v]);

function answer(clause: string, values: readonly (number | null)[]): unknown[][] {
  const plan = planOf(`SELECT * FROM r MATCH_RECOGNIZE (ORDER BY id ${clause})`, [table]);
  const runner = new PlanRunner(plan, [table], (error) => {
    throw error;
  });
  runner.run([[added(numbered(values))]]);
  return shown(runner);
}

/** What has come out, in the order of its texts as numbers. */
function shown(runner: PlanRunner): unknown[][] {
  const rows: unknown[][] = runner.bag.rows().map((row) => JSON.parse(row));
  return rows.sort((a, b) => Number(a[0]) - Number(b[0]) || Number(a[1]) - Number(b[1]));
}

// The table of the examples in Oracle's documentation and in ISO/IEC 19075-5: the price of ACME on 20 days.
const ACME = [12, 17, 19, 21, 25, 12, 15, 20, 24, 25, 19, 15, 25, 25, 14, 12, 14, 24, 23, 22];
const V_SHAPE = `PATTERN (strt down+ up+)
  DEFINE down AS down.v < PREV(down.v), up AS up.v > PREV(up.v)`;

describe('known examples', () => {
  it('V shapes, one row each', () => {
    assert.deepEqual(
      answer(
        `MEASURES strt.id AS begins, LAST(down.id) AS bottom, LAST(up.id) AS ends
         ONE ROW PER MATCH AFTER MATCH SKIP TO LAST up ${V_SHAPE}`,
        ACME,
      ),
      [
        ['5', '6', '10'],
        ['10', '12', '13'],
        ['14', '16', '18'],
      ],
    );
  });

  it('V shapes, all rows: running and final values', () => {
    const rows = answer(
      `MEASURES MATCH_NUMBER() AS n, CLASSIFIER() AS c, LAST(down.id) AS running_bottom,
         FINAL LAST(down.id) AS bottom, up.v - strt.v AS gain, count(*) AS so_far, FINAL count(up.*) AS ups
       ALL ROWS PER MATCH AFTER MATCH SKIP TO LAST up ${V_SHAPE}`,
      ACME.slice(9),
    );
    assert.deepEqual(rows, [
      ['1', '1', 'strt', null, '3', null, '1', '1', '25'],
      ['2', '1', 'down', '2', '3', null, '2', '1', '19'],
      ['3', '1', 'down', '3', '3', null, '3', '1', '15'],
      ['4', '1', 'up', '3', '3', '0', '4', '1', '25'],
      ['5', '2', 'strt', null, '7', null, '1', '2', '25'],
      ['6', '2', 'down', '6', '7', null, '2', '2', '14'],
      ['7', '2', 'down', '7', '7', null, '3', '2', '12'],
      ['8', '2', 'up', '7', '7', '-11', '4', '2', '14'],
      ['9', '2', 'up', '7', '7', '-1', '5', '2', '24'],
    ]);
  });

  it('where the next match begins', () => {
    const begins = (skip: string): unknown[] =>
      answer(
        `MEASURES FIRST(id) AS f, LAST(id) AS l AFTER MATCH SKIP ${skip} PATTERN (a b b c)
         DEFINE a AS v > 0`,
        [1, 1, 1, 1, 1, 1, 1, 1],
      ).map(([first]) => Number(first));
    assert.deepEqual(begins('PAST LAST ROW'), [1, 5]);
    assert.deepEqual(begins('TO NEXT ROW'), [1, 2, 3, 4, 5]);
    assert.deepEqual(begins('TO FIRST b'), [1, 2, 3, 4, 5]);
    assert.deepEqual(begins('TO LAST b'), [1, 3, 5]);
    assert.deepEqual(begins('TO c'), [1, 4]);
  });

  it('greedy and reluctant, alternatives in their order', () => {
    const length = (pattern: string): unknown[] =>
      answer(
        `MEASURES count(a.*) AS a, count(b.*) AS b PATTERN (^ ${pattern}) DEFINE a AS v > 0, b AS v > 1`,
        [2, 2, 2, 2, 0],
      )[0] ?? [];
    assert.deepEqual(length('a+ b'), ['3', '1']);
    assert.deepEqual(length('a+? b'), ['1', '1']);
    assert.deepEqual(length('a* b*'), ['4', '0']);
    assert.deepEqual(length('a*? b*'), ['0', '4']);
    assert.deepEqual(length('a{2,3}? b{1,}'), ['2', '2']);
    assert.deepEqual(length('(a | b b)+ b??'), ['4', '0']);
    assert.deepEqual(length('(b b | a)+?'), ['0', '2']);
    assert.deepEqual(length('PERMUTE(b, a)'), ['1', '1']);
    assert.deepEqual(length('(a??)* b'), ['3', '1']);
  });

  it('exclusions are matched and not shown', () => {
    assert.deepEqual(
      answer(
        `MEASURES CLASSIFIER() AS c, FINAL sum(v) AS s ALL ROWS PER MATCH
         PATTERN (a {- b+ -} c) DEFINE b AS v = 2, c AS v = 3`,
        [1, 2, 2, 3, 1],
      ),
      [
        ['1', 'a', '8', '1'],
        ['4', 'c', '8', '3'],
      ],
    );
  });

  it('empty matches and unmatched rows', () => {
    const rows = (which: string): unknown[][] =>
      answer(
        `MEASURES MATCH_NUMBER() AS n, count(*) AS c, CLASSIFIER() AS x ${which} PATTERN (${which.includes('UN') ? 'a+' : 'a*'}) DEFINE a AS v > 0`,
        [1, 1, 0, 1],
      );
    const first = ['1', '1', '1', 'a', '1'];
    const second = ['2', '1', '2', 'a', '1'];
    const last = (n: string): string[] => ['4', n, '1', 'a', '1'];
    assert.deepEqual(rows('ONE ROW PER MATCH'), [
      ['1', '2', 'a'],
      ['2', '0', null],
      ['3', '1', 'a'],
    ]);
    const shownRows = [first, second, ['3', '2', '0', null, '0'], last('3')];
    assert.deepEqual(rows('ALL ROWS PER MATCH SHOW EMPTY MATCHES'), shownRows);
    assert.deepEqual(rows('ALL ROWS PER MATCH'), shownRows);
    assert.deepEqual(rows('ALL ROWS PER MATCH OMIT EMPTY MATCHES'), [first, second, last('3')]);
    assert.deepEqual(rows('ALL ROWS PER MATCH WITH UNMATCHED ROWS'), [
      first,
      second,
      ['3', null, null, null, '0'],
      last('2'),
    ]);
  });

  it('navigation goes by the match, then by the partition', () => {
    assert.deepEqual(
      answer(
        `MEASURES FIRST(a.v, 1) AS f1, LAST(a.v, 1) AS l1, LAST(a.v, 3) AS l3, PREV(FIRST(a.v), 1) AS p,
           PREV(LAST(a.v, 1), 2) AS p2, NEXT(b.v, 1) AS n, NEXT(b.v, 2) AS n2, u.v AS u, avg(u.v) AS mean
         PATTERN (a{3} b) SUBSET u = (a, b) DEFINE a AS v > 1, b AS v > 1`,
        [1, 2, 3, 4, 5, 6],
      ),
      [['3', '3', null, '1', '1', '6', null, '5', '3.5000000000000000']],
    );
  });
});

/** A view over the table, and the rows that fail now. */
function viewOf(query: string): { runner: PlanRunner; failing: Map<string, number> } {
  const failing = new Map<string, number>();
  const plan = planOf(query, [table]);
  const runner = new PlanRunner(plan, [table], (error: StreamError, batch, row, weight) => {
    const key = `${error.sqlstate} ${batch.row(row).join()}`;
    const sum = (failing.get(key) ?? 0) + weight;
    if (sum === 0) failing.delete(key);
    else failing.set(key, sum);
  });
  return { runner, failing };
}

describe('a search that goes on behind a change', () => {
  const matches = `MEASURES MATCH_NUMBER() AS n, count(*) AS c`;

  it('counts on', () => {
    const { runner } = viewOf(
      `SELECT * FROM r MATCH_RECOGNIZE (ORDER BY id ${matches}, FIRST(id) AS f PATTERN (a b) DEFINE b AS v > 1)`,
    );
    runner.run([
      [
        added([
          [1, 0],
          [2, 2],
          [3, 0],
          [4, 2],
        ]),
      ],
    ]);
    runner.emitted.length = 0;
    runner.run([
      [
        added([
          [5, 0],
          [6, 2],
        ]),
      ],
    ]);
    assert.equal(runner.emitted.length, 1, 'the matches before stay as they are');
    assert.deepEqual(shown(runner), [
      ['1', '2', '1'],
      ['2', '2', '3'],
      ['3', '2', '5'],
    ]);
    runner.run([
      [
        [
          { row: [2, 2], weight: -1 },
          { row: [2, 1], weight: 1 },
        ],
      ],
    ]);
    assert.deepEqual(shown(runner), [
      ['1', '2', '3'],
      ['2', '2', '5'],
    ]);
  });

  it('knows which rows are in matches that began before', () => {
    const { runner } = viewOf(
      `SELECT * FROM r MATCH_RECOGNIZE (ORDER BY id ${matches} ALL ROWS PER MATCH WITH UNMATCHED ROWS
         AFTER MATCH SKIP TO NEXT ROW PATTERN (a b c) DEFINE a AS v = 1)`,
    );
    runner.run([
      [
        added([
          [1, 1],
          [2, 0],
          [3, 1],
          [4, 0],
        ]),
      ],
    ]);
    const before = [
      ['1', '1', '1', '1'],
      ['2', '1', '2', '0'],
      ['3', '1', '3', '1'],
    ];
    assert.deepEqual(shown(runner), [...before, ['4', null, null, '0']]);
    runner.run([
      [
        [
          { row: [4, 0], weight: -1 },
          { row: [4, 7], weight: 1 },
        ],
      ],
    ]);
    assert.deepEqual(shown(runner), [...before, ['4', null, null, '7']]);
  });

  it('looks again where NEXT, or the end, was seen', () => {
    const { runner } = viewOf(
      `SELECT * FROM r MATCH_RECOGNIZE (ORDER BY id MEASURES a.id AS f, NEXT(a.v, 2) AS n PATTERN (a) DEFINE a AS true)`,
    );
    runner.run([
      [
        added([
          [1, 1],
          [2, 2],
        ]),
      ],
    ]);
    assert.deepEqual(shown(runner), [
      ['1', null],
      ['2', null],
    ]);
    runner.run([[added([[3, 3]])]]);
    assert.deepEqual(shown(runner), [
      ['1', '3'],
      ['2', null],
      ['3', null],
    ]);
    const ends = viewOf(
      'SELECT * FROM r MATCH_RECOGNIZE (ORDER BY id MEASURES a.id AS f PATTERN (a $) DEFINE a AS true)',
    );
    ends.runner.run([
      [
        added([
          [1, 1],
          [2, 2],
        ]),
      ],
    ]);
    assert.deepEqual(shown(ends.runner), [['2']]);
    ends.runner.run([[[{ row: [2, 2], weight: -1 }]]]);
    assert.deepEqual(shown(ends.runner), [['1']]);
  });
});

describe('ways with another past are tried', () => {
  const count = (condition: string, values: readonly number[]): unknown =>
    answer(
      `MEASURES count(*) AS n PATTERN (^ (a | b)* c) DEFINE c AS v = 9 AND ${condition}`,
      values,
    )[0]?.[0];

  it('by their first, last, counted and named rows', () => {
    assert.equal(count('FIRST(a.v) = 5', [3, 5, 9]), '3');
    assert.equal(count('FIRST(a.v, 1) = 5', [3, 4, 5, 9]), '4');
    assert.equal(count('LAST(a.v) = 3', [3, 5, 9]), '3');
    assert.equal(count('LAST(a.v, 1) = 3', [3, 4, 5, 9]), '4');
    assert.equal(count('sum(a.v) = 8', [3, 4, 5, 9]), '4');
    assert.equal(count("string_agg(CLASSIFIER(), '') = 'babc'", [3, 4, 5, 9]), '4');
    assert.equal(count("LAST(CLASSIFIER(), 3) = 'b'", [3, 4, 5, 9]), '4');
    assert.equal(count('sum(a.v) = 100', [3, 4, 5, 9]), undefined);
  });
});

describe('failures', () => {
  it('of a condition are rows that fail, until they go', () => {
    const { runner, failing } = viewOf(
      `SELECT * FROM r MATCH_RECOGNIZE (ORDER BY id MEASURES FIRST(id) AS f, LAST(id) AS l
         PATTERN (a b) DEFINE b AS 10 / v > 1)`,
    );
    runner.run([[added(numbered([1, 0, 5]))]]);
    assert.deepEqual([...failing], [['22012 1,1', 1]]);
    assert.deepEqual(shown(runner), [['2', '3']]);
    runner.run([[[{ row: [2, 0], weight: -1 }]]]);
    assert.deepEqual([...failing], []);
    assert.deepEqual(shown(runner), [['1', '3']]);
  });

  it('of a measure leave the match out', () => {
    const { runner, failing } = viewOf(
      `SELECT * FROM r MATCH_RECOGNIZE (ORDER BY id MEASURES FIRST(id) AS f, 10 / LAST(v) AS q
         PATTERN (a b) DEFINE b AS true)`,
    );
    runner.run([[added(numbered([1, 0, 5, 2]))]]);
    assert.deepEqual([...failing], [['22012 1,1', 1]]);
    assert.deepEqual(shown(runner), [['3', '5']]);
  });

  it('of a skip to no row, and to where the match began', () => {
    const clause = (skip: string): string =>
      `SELECT * FROM r MATCH_RECOGNIZE (ORDER BY id MEASURES FIRST(id) AS f AFTER MATCH SKIP TO ${skip}
         PATTERN (a b?) DEFINE b AS v > 1)`;
    const missing = viewOf(clause('b'));
    missing.runner.run([[added(numbered([1, 1, 2]))]]);
    assert.deepEqual([...missing.failing.keys()], ['22023 1,1', '22023 3,2']);
    assert.deepEqual(shown(missing.runner), [['2']]);
    const endless = viewOf(clause('FIRST a'));
    endless.runner.run([[added(numbered([1]))]]);
    assert.deepEqual([...endless.failing.keys()], ['22023 1,1']);
  });
});

function operatorOf(clause: string, stepsMax: number): MatchTableOperator {
  const plan = planOf(`SELECT * FROM r MATCH_RECOGNIZE (ORDER BY id ${clause})`, [table]);
  const node = plan.nodes.find(({ kind }) => kind === 'match-recognize');
  assert.ok(node?.kind === 'match-recognize');
  const input = node.inputs[0]?.schema ?? [];
  return new MatchTableOperator(node.schema, input, node, silent, stepsMax);
}

function run(operator: MatchTableOperator, values: readonly number[]): number {
  let rows = 0;
  operator.push(0, batchOf(schema, added(numbered(values))), () => {});
  operator.flush((batch) => {
    rows += batch.length;
  });
  return rows;
}

describe('bounds', () => {
  const LONG = 10_000;
  const same = new Array<number>(LONG).fill(1);

  it('long matches need no stack, and as many steps as rows', () => {
    const operator = operatorOf('MEASURES count(*) AS n PATTERN (a+) DEFINE a AS v = 1', 10 * LONG);
    assert.equal(run(operator, same), 1);
    assert.equal(operator.failure, undefined);
  });

  it('ways that were in vain once are not tried again', () => {
    const nested =
      'MEASURES count(*) AS n PATTERN ((a | b | a b)* c) DEFINE a AS v = 1, b AS v = 1, c AS v = 2';
    const operator = operatorOf(nested, 50 * LONG);
    assert.equal(run(operator, same), 0);
    assert.equal(operator.failure, undefined);
  });

  it('running sums go on from the row before', () => {
    const operator = operatorOf(
      `MEASURES sum(a.v) AS n PATTERN (a+) DEFINE a AS sum(a.v) < ${2 * LONG}`,
      20 * LONG,
    );
    assert.equal(run(operator, same), 1);
    assert.equal(operator.failure, undefined);
  });

  it('what cannot be searched stops the operator, with a reason', () => {
    const operator = operatorOf(
      'MEASURES count(*) AS n PATTERN ((a | b)* c) DEFINE c AS sum(a.v) = 1000000',
      100_000,
    );
    const values = Array.from({ length: 40 }, (_, i) => i * i + 1);
    assert.equal(run(operator, values), 0);
    assert.equal(operator.failure?.sqlstate, '54000');
    assert.match(operator.failure?.hint ?? '', /WITHIN/);
  });

  it('patterns have a size', () => {
    const plan = (pattern: string): unknown =>
      planOf(
        `SELECT * FROM r MATCH_RECOGNIZE (ORDER BY id MEASURES 1 AS n PATTERN (${pattern}) DEFINE a AS true)`,
        [table],
      );
    assert.ok(plan('a{9999}'));
    for (const pattern of [
      'a{10001}',
      '((a{1000}){1000}){1000}',
      '((() a??){0,1000000})',
      '(){1000000000} a',
    ]) {
      assert.throws(() => plan(pattern), /the pattern has more than 10000 parts/);
    }
  });
});

const SECOND = 1_000_000n;
const timed: Schema = [
  { name: 't', type: { kind: 'timestamp' }, nullable: true },
  { name: 'k', type: { kind: 'integer' }, nullable: true },
  { name: 'v', type: { kind: 'integer' }, nullable: true },
];
const stream: TestTable = { name: 'e', schema: timed, domains: [], appendOnly: true, watermark: 0 };

/** A view over the stream, fed with [second, key, value] rows and watermarks in seconds. */
class EventView {
  readonly runner: PlanRunner;
  readonly failures: string[] = [];

  constructor(clause: string) {
    const plan = planOf(`SELECT * FROM e MATCH_RECOGNIZE (PARTITION BY k ORDER BY t ${clause})`, [
      stream,
    ]);
    assert.equal(plan.storage.kind, 'append');
    this.runner = new PlanRunner(plan, [stream], (error) => {
      this.failures.push(error.message);
    });
  }

  run(rows: readonly (readonly [number, number, number])[], watermark: number): unknown[] {
    const changes = added(rows.map(([t, k, v]) => [BigInt(t) * SECOND, k, v]));
    this.runner.run([[changes]], BigInt(watermark) * SECOND);
    const out = this.runner.emitted.flatMap((batch) =>
      Array.from({ length: batch.length }, (_, row) => batch.row(row).map(Number)),
    );
    return out.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  }

  get entries(): number {
    let entries = 0;
    for (const operator of this.runner.operators.values()) entries += operator.stateEntries();
    return entries;
  }

  get matching(): { readonly bytes: number; readonly entries: number } {
    for (const [node, operator] of this.runner.operators) {
      if (node.kind !== 'match-recognize') continue;
      return { bytes: operator.stateBytes(), entries: operator.stateEntries() };
    }
    throw new Error('no operator');
  }
}

describe('event time', () => {
  it('a match comes out when no row can change it', () => {
    const view = new EventView('MEASURES count(*) AS n PATTERN (a+) DEFINE a AS v > 0');
    assert.deepEqual(
      view.run(
        [
          [3, 1, 1],
          [1, 1, 1],
        ],
        2,
      ),
      [],
    );
    assert.deepEqual(view.run([[2, 1, 1]], 4), []);
    assert.deepEqual(
      view.run([[4, 1, 0]], 4),
      [],
      'the row that ends it may still have one before',
    );
    assert.deepEqual(view.run([], 5), [[1, 3]]);
    assert.equal(view.entries, 0);
  });

  it('reluctant ones at once', () => {
    const view = new EventView('MEASURES count(*) AS n PATTERN (a{2,}?) DEFINE a AS v > 0');
    assert.deepEqual(
      view.run(
        [
          [1, 1, 1],
          [2, 1, 1],
          [3, 1, 1],
        ],
        3,
      ),
      [[1, 2]],
    );
    assert.equal(view.matching.entries, 0);
    assert.deepEqual(view.run([], 4), []);
    assert.equal(view.matching.entries, 1);
  });

  it('WITHIN ends what the watermark has passed', () => {
    const view = new EventView(
      "MEASURES count(*) AS n PATTERN (a{2,}) WITHIN INTERVAL '10' SECOND DEFINE a AS v > 0",
    );
    assert.deepEqual(
      view.run(
        [
          [1, 1, 1],
          [5, 1, 1],
          [2, 2, 1],
        ],
        11,
      ),
      [],
    );
    assert.equal(view.matching.entries, 3);
    assert.deepEqual(view.run([[11, 1, 1]], 12), [[1, 3]], '11 s belong to it: 10 s later');
    assert.equal(view.matching.entries, 1);
    assert.deepEqual(view.run([], 13), []);
    assert.deepEqual(view.matching.entries, 0);
    assert.equal(view.entries, 0);
  });

  it('NEXT waits for the row, in conditions and in measures', () => {
    const condition = new EventView('MEASURES a.v AS n PATTERN (a) DEFINE a AS NEXT(a.v) > a.v');
    assert.deepEqual(condition.run([[1, 1, 5]], 10), []);
    assert.deepEqual(condition.run([[10, 1, 6]], 11), [[1, 5]]);
    const measure = new EventView(
      'MEASURES a.v AS n, NEXT(a.v) AS m PATTERN (a) DEFINE a AS v > 5',
    );
    assert.deepEqual(measure.run([[1, 1, 6]], 10), []);
    assert.deepEqual(measure.run([[10, 1, 1]], 11), [[1, 6, 1]]);
  });

  it('PREV keeps the rows that it goes back to, and counts keep their partition', () => {
    const back = new EventView('MEASURES PREV(a.v, 2) AS n PATTERN (a) DEFINE a AS v > 0');
    back.run(
      [
        [1, 1, 1],
        [2, 1, 2],
        [3, 1, 3],
      ],
      4,
    );
    assert.equal(back.matching.entries, 2);
    assert.deepEqual(back.run([[4, 1, 4]], 5), [[1, 2]]);
    const counted = new EventView('MEASURES MATCH_NUMBER() AS n PATTERN (a) DEFINE a AS v > 0');
    assert.deepEqual(counted.run([[1, 1, 1]], 2), [[1, 1]]);
    assert.deepEqual(
      counted.run(
        [
          [2, 1, 1],
          [2, 2, 1],
        ],
        3,
      ),
      [
        [1, 2],
        [2, 1],
      ],
    );
    const first = new EventView('MEASURES a.v AS n PATTERN (^ a) DEFINE a AS v > 0');
    assert.deepEqual(first.run([[1, 1, 7]], 2), [[1, 7]]);
    assert.deepEqual(
      first.run(
        [
          [2, 1, 8],
          [2, 2, 9],
        ],
        3,
      ),
      [[2, 9]],
    );
  });

  it('a row that comes behind its place fails', () => {
    const view = new EventView('MEASURES count(*) AS n PATTERN (a+) DEFINE a AS v > 0');
    view.run([[5, 1, 1]], 6);
    assert.deepEqual(view.run([[1, 1, 1]], 6), []);
    assert.deepEqual(view.failures, [
      'the row comes when patterns have been matched over rows behind it',
    ]);
    assert.deepEqual(view.run([[7, 1, 0]], 8), [[1, 1]]);
  });

  it('thousands of addresses with one failure each leave nothing', () => {
    const view = new EventView(
      "MEASURES count(*) AS n PATTERN (a{6,}) WITHIN INTERVAL '1' MINUTE DEFINE a AS v > 0",
    );
    for (let second = 0; second < 300; second++) {
      const rows = Array.from({ length: 20 }, (_, i) => [second, second * 20 + i, 1] as const);
      view.run(rows, second);
      assert.ok(view.entries <= 20 * 63, `${view.entries} rows are kept`);
    }
    view.run([], 400);
    assert.equal(view.entries, 0);
  });
});
