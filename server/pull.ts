/** A query answered once: by DuckDB over the stored rows, or by the operators over a stream's retained log. */

import { UnplannedQuery } from '../engine/store/failure.ts';
import type { StoredRelation } from '../engine/store/store.ts';
import { renderQuery } from '../engine/view/pull.ts';
import { assert } from '../sql/base/assert.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Schema } from '../sql/base/type.ts';
import { bindStatement } from '../sql/bind-statement.ts';
import { mayHaveDimensions } from '../sql/bind-stored-array.ts';
import type { Relation } from '../sql/catalog.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';
import { parseStatement } from '../sql/parser.ts';
import { optimize } from '../sql/rewrite/all.ts';
import type { Core } from './core.ts';
import { storedRelation } from './lifecycle/view.ts';
import type { Reading } from './reading.ts';
import { statementContext } from './statement-context.ts';
import { needsOperators, queryByOperators } from './stream-query.ts';

export interface Answer {
  readonly schema: Schema;
  readonly chunks: AsyncIterable<readonly Row[]>;
}

/**
 * @param plan  as bound for a pull query, its stable functions already replaced by their values.
 * @param transaction  whose own rows the query sees over those that are committed.
 */
export async function runPlan(
  core: Core,
  plan: LogicalNode,
  signal: AbortSignal,
  transaction?: Reading,
): Promise<Answer> {
  const byOperators = async (): Promise<Answer> => ({
    schema: plan.schema,
    chunks: await queryByOperators(core, plan, signal, transaction),
  });
  // DuckDB's lists have the dimensions of their type.
  if (needsOperators(core, plan) || mayHaveDimensions(plan)) return byOperators();
  try {
    return await queryStore(core, plan, signal, transaction);
  } catch (error) {
    // Nested correlated queries that DuckDB does not take apart, and orders that it does not have.
    if (isNotForDuckdb(error)) return byOperators();
    throw error;
  }
}

const isNotForDuckdb = (error: unknown): boolean =>
  error instanceof UnplannedQuery ||
  (error instanceof StreamError && error.code === 'SQL_NOT_SUPPORTED');

async function queryStore(
  core: Core,
  plan: LogicalNode,
  signal: AbortSignal,
  transaction: Reading | undefined,
): Promise<Answer> {
  const optimized = optimize(plan, core.catalog);
  if (transaction === undefined) {
    const { sql, calls } = renderQuery(optimized, (name) => stored(core, name).rows);
    return core.store.query(sql, plan.schema, signal, calls);
  }
  const relations = new Map<string, Relation>();
  // Rendered once to learn what is read, and then with the drafts of that.
  renderQuery(optimized, (name) => {
    const { relation, rows } = stored(core, name);
    relations.set(name, relation);
    return rows;
  });
  const read = [...relations.values()];
  await transaction.reads(read);
  const { sql, calls } = renderQuery(optimized, (name) => {
    const { relation, rows } = stored(core, name);
    const draft = transaction.overlay(relation);
    return draft === undefined ? rows : { ...rows, overlay: [...draft.changes()] };
  });
  const { chunks } = await core.store.query(sql, plan.schema, signal, calls);
  try {
    await transaction.hasRead(read);
  } catch (error) {
    // Nobody will read the rows, and they hold one of the few reading connections.
    await chunks[Symbol.asyncIterator]().return?.();
    throw error;
  }
  return { schema: plan.schema, chunks };
}

/** @throws StreamError SQL_WRONG_OBJECT_TYPE for what has no rows of its own. */
function stored(
  core: Core,
  name: string,
): { readonly relation: Relation; readonly rows: StoredRelation } {
  const relation = core.catalog.relation(name);
  const rows = relation === undefined ? undefined : storedRelation(core, relation);
  if (relation !== undefined && rows !== undefined) return { relation, rows };
  throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${name}" holds no rows that can be read`);
}

/** Runs a SELECT that the server itself wrote. */
export async function runQueryText(core: Core, text: string, signal: AbortSignal): Promise<Answer> {
  const context = statementContext(core, new Map());
  const bound = bindStatement(parseStatement(text), core.catalog, context);
  assert(bound.kind === 'query', 'the text is a query');
  return runPlan(core, bound.plan, signal);
}

/** All rows of a query whose size the caller bounds. */
export async function collectRows(
  core: Core,
  plan: LogicalNode,
  signal: AbortSignal,
  transaction?: Reading,
): Promise<Row[]> {
  const rows: Row[] = [];
  const { chunks } = await runPlan(core, plan, signal, transaction);
  for await (const chunk of chunks) rows.push(...chunk);
  return rows;
}
