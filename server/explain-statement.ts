/**
 * EXPLAIN: of a query the logical plan as it is answered; of a view, sink or CREATE … AS the incremental plan;
 * EXPLAIN ANALYZE of a running one adds what each operator holds and has put out.
 */
import { explainPlan } from '../engine/plan/explain.ts';
import { lower } from '../engine/plan/lower.ts';
import { StreamError } from '../sql/base/error.ts';
import type { BoundStatement } from '../sql/bound-statement.ts';
import type { Relation } from '../sql/catalog.ts';
import { explainLogical } from '../sql/explain.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';
import { optimize } from '../sql/rewrite/all.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { rowsResult, TEXT } from './row-result.ts';

type BoundExplain = BoundStatement & { readonly kind: 'explain' };

export function explainStatement(core: Core, statement: BoundExplain): StatementResult {
  const lines = explainTarget(core, statement).split('\n');
  return rowsResult(
    'EXPLAIN',
    [['QUERY PLAN', TEXT]],
    lines.map((line) => [line]),
  );
}

function explainTarget(core: Core, { target, analyze }: BoundExplain): string {
  if ('sql' in target) return explainRelation(core, target, analyze);
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
