/** A query answered once: by DuckDB over the stored rows, or by the operators over a stream's retained log. */
import { renderQuery } from '../engine/view/pull.ts';
import { assert } from '../sql/base/assert.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Schema } from '../sql/base/type.ts';
import { bindStatement } from '../sql/bind-statement.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';
import { parseStatement } from '../sql/parser.ts';
import { optimize } from '../sql/rewrite/all.ts';
import type { Core } from './core.ts';
import { storedRelation } from './lifecycle.ts';
import { statementContext } from './statement-context.ts';
import { queryStreams, readsStreams } from './stream-query.ts';

export interface Answer {
  readonly schema: Schema;
  readonly chunks: AsyncIterable<readonly Row[]>;
}

/** @param plan  as bound for a pull query, its stable functions already replaced by their values. */
export async function runPlan(core: Core, plan: LogicalNode, signal: AbortSignal): Promise<Answer> {
  if (readsStreams(core, plan)) {
    return { schema: plan.schema, chunks: await queryStreams(core, plan, signal) };
  }
  const rendered = renderQuery(optimize(plan, core.catalog), (name) => {
    const relation = core.catalog.relation(name);
    const stored = relation === undefined ? undefined : storedRelation(core, relation);
    if (stored !== undefined) return stored;
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${name}" holds no rows that can be read`);
  });
  const { chunks } = await core.store.query(rendered.sql, plan.schema, signal, rendered.calls);
  return { schema: plan.schema, chunks };
}

/** Runs a SELECT that the server itself wrote. */
export async function runQueryText(core: Core, text: string, signal: AbortSignal): Promise<Answer> {
  const context = statementContext(core, new Map(), []);
  const bound = bindStatement(parseStatement(text), core.catalog, context);
  assert(bound.kind === 'query', 'the text is a query');
  return runPlan(core, bound.plan, signal);
}

/** All rows of a query whose size the caller bounds. */
export async function collectRows(
  core: Core,
  plan: LogicalNode,
  signal: AbortSignal,
): Promise<Row[]> {
  const rows: Row[] = [];
  const { chunks } = await runPlan(core, plan, signal);
  for await (const chunk of chunks) rows.push(...chunk);
  return rows;
}
