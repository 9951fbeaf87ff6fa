/** Broken statements: what PostgreSQL refuses is refused, and what both take has one meaning. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { loadModule, parseSync } from 'libpg-query';
import type { Statement } from '../../sql/ast-statement.ts';
import { StreamError } from '../../sql/base/error.ts';
import { parseStatement, parseStatements } from '../../sql/parser.ts';
import { RUN_SEED } from '../run-seed.ts';
import { readCorpus } from './corpus.ts';
import { mutate, randomFrom } from './mutant.ts';
import { millraceStatement } from './normal-form-millrace.ts';
import { type Json, postgresStatement } from './normal-form-postgres.ts';

const runs = Number(process.env.MILLRACE_TEST_RUNS ?? 100) * 10;

/**
 * What we accept and PostgreSQL refuses, on purpose. Only what a mutation of the shared corpus can
 * reach is listed; the streaming clauses need words of their own.
 */
const extensions: readonly {
  readonly why: string;
  readonly matches: (text: string, at: number) => boolean;
}[] = [
  {
    why: 'ksqlDB and Flink take a subscript or field of a call, f(x)[1]; PostgreSQL wants (f(x))[1]',
    matches: (text, at) => /[)\]]\s*$/.test(text.slice(0, at)) && /^[[.]/.test(text.slice(at)),
  },
];

/** Type names of Flink and ksqlDB that stand for types of PostgreSQL, which has none so called. */
const typeAliases: ReadonlyMap<string, string> = new Map([['double', 'float8']]);

function withAliases(tree: Json): Json {
  if (typeof tree !== 'object' || tree === null) return tree;
  const [tag, name, ...rest] = tree;
  if (tag !== 'type' || typeof name !== 'string') return tree.map(withAliases);
  return [tag, typeAliases.get(name) ?? name, ...rest];
}

/** The corpus with the items of select lists as statements of their own: shorter is sharper. */
function readFragments(): readonly string[] {
  return readCorpus('shared.sql').flatMap((sql) => {
    const statement = parseStatement(sql);
    const body = statement.kind === 'query' ? statement.body : undefined;
    if (body?.kind !== 'select' || body.items.length < 4 || body.from.length > 0) return [sql];
    return body.items.map(({ span }) => `select ${sql.slice(span.start, span.end)}`);
  });
}

type Verdict<Tree> = { readonly tree: Tree } | { readonly error: unknown };

function verdict<Tree>(parse: () => Tree): Verdict<Tree> {
  try {
    return { tree: parse() };
  } catch (error) {
    return { error };
  }
}

const positionOf = (error: unknown): number =>
  typeof error === 'object' && error !== null && 'sqlDetails' in error
    ? ((error.sqlDetails as { cursorPosition?: number }).cursorPosition ?? 0)
    : 0;

describe('mutants of the shared language', () => {
  before(loadModule);

  it(`${runs} statements with a token dropped, doubled or swapped`, () => {
    const fragments = readFragments();
    const random = randomFrom(RUN_SEED);
    let accepted = 0;
    let refusedAlone = 0;
    for (let run = 0; run < runs; run++) {
      const sql = mutate(fragments[Math.floor(random() * fragments.length)] ?? '', random);
      // libpg-query has an error of its own for a text without a statement.
      if (sql === '') continue;
      const theirs = verdict(() =>
        (parseSync(sql).stmts ?? []).map(({ stmt }) => postgresStatement(stmt)),
      );
      const ours = verdict((): Statement[] => parseStatements(sql));
      if ('error' in ours) {
        assert.ok(ours.error instanceof StreamError, `${sql}: ${ours.error}`);
        if ('tree' in theirs) refusedAlone++;
      } else if ('error' in theirs) {
        const at = positionOf(theirs.error);
        assert.ok(
          extensions.some(({ matches }) => matches(sql, at)),
          `PostgreSQL refuses: ${sql} (${theirs.error})`,
        );
      } else {
        accepted++;
        assert.deepEqual(ours.tree.map(millraceStatement), theirs.tree.map(withAliases), sql);
      }
    }
    assert.ok(accepted > runs / 20, `only ${accepted} mutants were still statements`);
    // Labels like AND, operator classes, AND CHAIN: rare enough not to matter.
    assert.ok(
      refusedAlone < runs / 50,
      `${refusedAlone} mutants that PostgreSQL takes were refused`,
    );
  });
});
