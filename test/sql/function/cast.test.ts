/** Which casts exist in which context, and what they give, against PostgreSQL. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { fromText } from '../../../sql/base/text-input.ts';
import { type SqlType, typeName } from '../../../sql/base/type.ts';
import { registry } from '../../../sql/function/builtin.ts';
import { callScalar, types } from '../../../sql/function/define.ts';
import {
  agrees,
  assertNoDifferences,
  type Judge,
  literal,
  openJudge,
  outcome,
  quote,
  runs,
  valueTexts,
} from './judge.ts';

let judge: Judge;
before(async () => {
  judge = await openJudge();
});
after(() => judge.close());

const plain: readonly SqlType[] = [
  types.boolean,
  types.smallint,
  types.integer,
  types.bigint,
  types.real,
  types.double,
  types.numeric,
  types.text,
  types.varchar,
  types.char,
  types.bytea,
  types.date,
  types.time,
  types.timestamp,
  types.timestamptz,
  types.interval,
  types.json,
  types.jsonb,
  types.uuid,
];
const modified: readonly SqlType[] = [
  { kind: 'numeric', precision: 5, scale: 2 },
  { kind: 'numeric', precision: 3, scale: 0 },
  { kind: 'numeric', precision: 2, scale: 4 },
  { kind: 'varchar', length: 3 },
  { kind: 'char', length: 4 },
  { kind: 'time', precision: 0 },
  { kind: 'timestamp', precision: 3 },
  { kind: 'timestamptz', precision: 0 },
];

test('casts exist exactly where pg_cast and the I/O conversions have them', async () => {
  const wrong: string[] = [];
  const pairs = plain.flatMap((from) => plain.map((to) => [from, to] as const));
  const cases = pairs.filter(([from, to]) => from !== to);
  const explicit = await judge.ask(
    cases.map(([from, to]) => `null::${typeName(from)}::${typeName(to)}`),
  );
  await judge.query('select 1');
  const names = plain.map((type, index) => `c${index} ${typeName(type)}`);
  await judge.query(`create table target (${names.join(', ')})`);
  await judge.query(`create function assign(statement text) returns text language plpgsql as $$
    begin execute statement; return 'yes'; exception when others then return sqlstate; end $$`);
  const assignments = await judge.query(
    `select assign(s) as r from unnest(array[${cases
      .map(([from, to]) =>
        quote(`insert into target (c${plain.indexOf(to)}) values (null::${typeName(from)})`),
      )
      .join(', ')}]) with ordinality as u(s, n) order by n`,
  );
  cases.forEach(([from, to], index) => {
    for (const [context, theirs] of [
      ['explicit', explicit[index] === 'NULL'],
      ['assignment', assignments[index]?.r === 'yes'],
    ] as const) {
      const ours = registry.cast(from, to, context) !== undefined;
      if (ours !== theirs)
        wrong.push(`${context} ${typeName(from)} -> ${typeName(to)}: judge ${theirs}`);
    }
  });
  assert.deepEqual(wrong, []);
});

/** What is wrong with a nonsensical date (its zone, a field, everything) PostgreSQL decides by details. */
function refusedByBoth(ours: string, theirs: string, to: SqlType): boolean {
  const dates = ['date', 'time', 'timestamp', 'timestamptz', 'interval'];
  return dates.includes(to.kind) && ours.startsWith('22') && theirs.startsWith('22');
}

test('explicit casts give what PostgreSQL gives', async () => {
  const differences: string[] = [];
  for (const from of plain) {
    const texts = fc.sample(valueTexts(from), { numRuns: runs });
    for (const to of [...plain, ...modified]) {
      const cast = registry.cast(from, to, 'explicit');
      if (cast === undefined) continue;
      const answers = await judge.ask(
        texts.map((text) => `${literal(text, from)}::${typeName(to)}`),
      );
      texts.forEach((text, index) => {
        const ours = outcome(() => {
          const value = fromText(text, from);
          return cast.fn === undefined ? value : callScalar(cast.fn, [value]);
        }, to);
        const theirs = answers[index] as string;
        if (!agrees(ours, theirs) && !refusedByBoth(ours, theirs, to)) {
          differences.push(
            `${literal(text, from)}::${typeName(to)}\n    judge ${theirs}\n    ours  ${ours}`,
          );
        }
      });
    }
  }
  assertNoDifferences(differences);
});
