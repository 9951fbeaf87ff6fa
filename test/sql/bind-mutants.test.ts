/** Queries with names and constants exchanged: PostgreSQL and the binder accept the same ones, and nothing crashes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PGlite } from '@electric-sql/pglite';
import fc from 'fast-check';
import type { Query } from '../../sql/ast.ts';
import { StreamError } from '../../sql/base/error.ts';
import { bindQuery } from '../../sql/binder.ts';
import { explainLogical } from '../../sql/explain.ts';
import { parseStatement } from '../../sql/parser.ts';
import { optimize } from '../../sql/rewrite/all.ts';
import { openPglite } from '../open-pglite.ts';
import { accepted, refused } from './bind-corpus.ts';
import { catalog, postgresTables, statement } from './catalog-fixture.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 400);

let postgres: PGlite;

before(async () => {
  postgres = await openPglite();
  await postgres.exec(postgresTables);
});

after(() => postgres.close());

const tokensOf = (sql: string): readonly string[] =>
  sql.match(/'[^']*'|"[^"]*"|[a-z_0-9.]+|[^\sa-z_0-9]+?/gi) ?? [];

const keywords = new Set(
  `select from where group by having order limit offset union all intersect except as on join left right full inner cross
  natural using with recursive case when then else end and or not in is null between like ilike similar to escape distinct
  over partition rows range groups preceding following current row unbounded exclude ties window values table lateral exists
  any array cast interval date timestamp time timestamptz fetch first only filter rollup cube grouping sets at zone true
  false collate nulls last asc desc for`.split(/\s+/),
);

const isName = (token: string): boolean => /^['0-9a-z_]/i.test(token) && !keywords.has(token);

const corpus = [...accepted, ...refused].map(tokensOf);
const names = [...new Set(corpus.flat().filter(isName))];

/** One query with one or two of its names or constants replaced by others of the corpus. */
const mutant = fc
  .record({
    query: fc.constantFrom(...corpus),
    places: fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
    replacements: fc.array(fc.constantFrom(...names), { minLength: 2, maxLength: 2 }),
  })
  .map(({ query, places, replacements }) => {
    const tokens = [...query];
    const replaceable = tokens.flatMap((token, index) => (isName(token) ? [index] : []));
    for (const [index, place] of places.entries()) {
      const at = replaceable[place % replaceable.length];
      if (at !== undefined) tokens[at] = replacements[index] ?? '1';
    }
    return tokens.join(' ');
  });

/** What exists on one side only: regtype, casts to a table's row type, modifiers that are names. */
const foreign =
  /pg_typeof|\b(?:person|auction|bid|account|kinds) '|numeric \( 5 ,|public\.\w+\.\w+/;

function ourVerdict(sql: string): string {
  try {
    const query = parseStatement(sql) as Query;
    const plan = bindQuery(query, catalog, statement, { purpose: 'pull' });
    explainLogical(optimize(plan, catalog));
    return 'accepted';
  } catch (error) {
    if (error instanceof StreamError) return error.sqlstate === '0A000' ? 'unsupported' : 'refused';
    throw error;
  }
}

async function theirVerdict(sql: string): Promise<string> {
  try {
    await postgres.describeQuery(sql);
    return 'accepted';
  } catch {
    return 'refused';
  }
}

test('exchanged names are accepted exactly where PostgreSQL accepts them', async () => {
  const property = fc.asyncProperty(mutant, async (sql) => {
    const ours = ourVerdict(sql);
    if (ours === 'unsupported' || foreign.test(sql)) return;
    assert.equal(ours, await theirVerdict(sql), sql);
  });
  await fc.assert(property, { numRuns: runs });
});
