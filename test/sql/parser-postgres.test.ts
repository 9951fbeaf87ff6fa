/** PostgreSQL's own grammar (libpg-query) judges what we accept and what tree we make of it. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { loadModule, parseSync } from 'libpg-query';
import { deparse } from '../../sql/deparse.ts';
import { parseStatement } from '../../sql/parser.ts';
import { readCorpus } from './corpus.ts';
import { millraceStatement } from './normal-form-millrace.ts';
import { type Json, postgresStatement } from './normal-form-postgres.ts';

const statements = readCorpus('shared.sql');

const postgresTree = (sql: string): Json => {
  const [first, ...others] = parseSync(sql).stmts ?? [];
  assert.equal(others.length, 0, 'one statement at a time');
  return postgresStatement(first?.stmt);
};

describe('the language shared with PostgreSQL', () => {
  before(loadModule);

  for (const sql of statements) {
    it(sql.slice(0, 120), () => {
      const statement = parseStatement(sql);
      assert.deepEqual(millraceStatement(statement), postgresTree(sql));
      const canonical = deparse(statement);
      assert.deepEqual(postgresTree(canonical), postgresTree(sql), canonical);
    });
  }
});
