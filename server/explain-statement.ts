/**
 * EXPLAIN: of a query the logical plan as it is answered; of a view, sink or CREATE … AS the incremental plan;
 * EXPLAIN ANALYZE of a running one adds what each operator holds and has put out, and of a query how many rows it gave.
 */
import { explainPlan } from '../engine/plan/explain.ts';
import { lower } from '../engine/plan/lower.ts';
import { StreamError } from '../sql/base/error.ts';
import type { BoundQuery, BoundStatement } from '../sql/bound-statement.ts';
import type { Relation } from '../sql/catalog.ts';
import { explainLogical } from '../sql/explain.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';
import { optimize } from '../sql/rewrite/all.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { readExplainOptions } from './explain-options.ts';
import { runPlan } from './pull.ts';
import { rowsResult, TEXT } from './row-result.ts';
import type { Transaction } from './transaction.ts';

type BoundExplain = BoundStatement & { readonly kind: 'explain' };

/** @throws StreamError SQL_NOT_SUPPORTED for what has no plan, and for ANALYZE of a statement that would change rows. */
export async function explainStatement(
  core: Core,
  statement: BoundExplain,
  signal: AbortSignal,
  transaction: Transaction | undefined,
): Promise<StatementResult> {
  const { target } = statement;
  const { analyze, format } = readExplainOptions(statement.options);
  const lines = explainTarget(core, target, analyze).split('\n');
  const isRun = analyze && !('sql' in target) && target.kind === 'query' && !target.emit;
  const run = isRun ? await runOf(core, target, signal, transaction) : undefined;
  if (format === 'json') {
    const plan = { Plan: treeOf(lines), ...run };
    const json = { kind: 'json' } as const;
    return rowsResult('EXPLAIN', [['QUERY PLAN', json]], [[JSON.stringify([plan], null, 2)]]);
  }
  const facts = Object.entries(run ?? {}).map(([name, value]) => `${name}: ${value}`);
  return rowsResult(
    'EXPLAIN',
    [['QUERY PLAN', TEXT]],
    [...lines, ...facts].map((line) => [line]),
  );
}

/** ANALYZE runs the query and throws its rows away. */
async function runOf(
  core: Core,
  { plan }: BoundQuery,
  signal: AbortSignal,
  transaction: Transaction | undefined,
): Promise<Readonly<Record<string, number>>> {
  const startedMs = performance.now();
  const { chunks } = await runPlan(core, plan, signal, transaction);
  let rows = 0;
  for await (const chunk of chunks) rows += chunk.length;
  const tookMs = Number((performance.now() - startedMs).toFixed(3));
  return { 'Actual Rows': rows, 'Execution Time (ms)': tookMs };
}

interface PlanTree {
  readonly Operation: string;
  Plans?: PlanTree[];
}

/** Two blanks more say that an operator is an input of the one above. */
function treeOf(lines: readonly string[]): PlanTree | undefined {
  const open: { readonly depth: number; readonly node: PlanTree }[] = [];
  let root: PlanTree | undefined;
  for (const line of lines) {
    const text = line.trimStart();
    const depth = line.length - text.length;
    while (open.length > 1 && (open.at(-1)?.depth ?? 0) >= depth) open.pop();
    const node: PlanTree = { Operation: text };
    const parent = open.at(-1)?.node;
    if (parent === undefined) root = node;
    else {
      parent.Plans ??= [];
      parent.Plans.push(node);
    }
    open.push({ depth, node });
  }
  return root;
}

function explainTarget(core: Core, target: BoundExplain['target'], analyze: boolean): string {
  if ('sql' in target) return explainRelation(core, target, analyze);
  if (
    analyze &&
    ('relation' in target || target.kind === 'with-changes') &&
    target.kind !== 'create-relation'
  ) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      `EXPLAIN ANALYZE of ${target.kind === 'with-changes' ? 'WITH' : target.kind.toUpperCase()} is not supported: it would change rows`,
      { hint: 'EXPLAIN without ANALYZE shows the plan and runs nothing.' },
    );
  }
  switch (target.kind) {
    case 'query':
      return target.emit === undefined
        ? explainLogical(optimize(target.plan, core.catalog))
        : incremental(core, target.plan);
    case 'create-view':
    case 'create-sink':
      return incremental(core, target.query);
    case 'create-relation':
      if (target.relation.query !== undefined) return incremental(core, target.relation.query);
      break;
    case 'insert':
      return explainLogical(optimize(target.rows, core.catalog));
    case 'update':
    case 'delete':
    case 'merge':
      return explainLogical(optimize(target.plan, core.catalog));
    case 'with-changes':
      return [...target.items, target.main]
        .map(({ statement }) => explainTarget(core, statement, analyze))
        .join('\n');
    default:
  }
  throw new StreamError('SQL_NOT_SUPPORTED', `${target.kind.replaceAll('-', ' ')} has no plan`);
}

function incremental(core: Core, query: LogicalNode): string {
  const running = new Set(core.engine.nodes.map((node) => node.fingerprint));
  return explainPlan(lower(optimize(query, core.catalog), core.catalog), running);
}

function explainRelation(core: Core, relation: Relation, analyze: boolean): string {
  switch (relation.kind) {
    case 'materialized-view':
    case 'sink': {
      const plan = explainPlan(lower(relation.query, core.catalog));
      return analyze ? `${plan}\n${running(core, relation.id)}` : plan;
    }
    case 'view':
      return explainLogical(optimize(relation.query, core.catalog));
    default:
      throw new StreamError(
        'SQL_WRONG_OBJECT_TYPE',
        `"${relation.name}" is a ${relation.kind} and has no plan`,
      );
  }
}

/** What the operators of a running plan hold and have put out, inputs first. */
function running(core: Core, id: number): string {
  const nodes = core.engine.planNodes(id);
  const lines = nodes.map(({ label, rowsOut, operator }) => {
    const bytes = operator?.stateBytes() ?? 0;
    const entries = operator?.stateEntries() ?? 0;
    return `  ${label}: ${rowsOut} rows out, ${entries} entries, ${bytes} bytes of state`;
  });
  return ['running:', ...lines].join('\n');
}
