/**
 * Golden tests: name.sql beside name.out. Plans: the plan as bound and as rewritten; of views, the operators. Errors:
 * as the user sees them. `UPDATE=1` rewrites the .out files; the diff is the review.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { explainPlan } from '../engine/plan/explain.ts';
import { lower } from '../engine/plan/lower.ts';
import { StreamError } from '../sql/base/error.ts';
import { bindStatement } from '../sql/bind-statement.ts';
import type { BoundStatement } from '../sql/bound-statement.ts';
import { renderError } from '../sql/caret.ts';
import { explainLogical } from '../sql/explain.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';
import { parseStatement } from '../sql/parser.ts';
import { optimize } from '../sql/rewrite/all.ts';
import { catalog, statement } from './sql/catalog-fixture.ts';

const home = join(dirname(fileURLToPath(import.meta.url)), 'golden');
const update = process.env.UPDATE === '1';

function golden(folder: string, render: (text: string) => string): void {
  for (const path of globSync(join(home, folder, '*.sql')).sort()) {
    test(`${folder}/${basename(path, '.sql')}`, () => {
      const expectedPath = path.replace(/\.sql$/, '.out');
      const actual = `${render(readFileSync(path, 'utf8').trimEnd())}\n`;
      if (update || !existsSync(expectedPath)) writeFileSync(expectedPath, actual);
      assert.equal(actual, readFileSync(expectedPath, 'utf8'));
    });
  }
}

function planOf(bound: BoundStatement): LogicalNode {
  switch (bound.kind) {
    case 'query':
    case 'update':
    case 'delete':
    case 'merge':
      return bound.plan;
    case 'create-view':
    case 'create-sink':
      return bound.query;
    case 'insert':
      return bound.rows;
    default:
      throw new Error(`${bound.kind} has no plan`);
  }
}

golden('plan', (text) => {
  const plan = planOf(bindStatement(parseStatement(text), catalog, statement));
  return `${explainLogical(plan)}\n=>\n${explainLogical(optimize(plan, catalog))}`;
});

golden('view', (text) => {
  const query = planOf(bindStatement(parseStatement(text), catalog, statement));
  return explainPlan(lower(optimize(query, catalog), catalog));
});

golden('error', (text) => {
  try {
    bindStatement(parseStatement(text), catalog, statement);
  } catch (error) {
    if (error instanceof StreamError) {
      return `${error.sqlstate} ${error.code}\n${renderError(error, text)}`;
    }
    throw error;
  }
  return 'no error';
});
