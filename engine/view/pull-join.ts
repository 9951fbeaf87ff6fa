/** Joins of every kind. */
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { inputScope, type NodeSql, type PullContext, type Scope } from './pull-context.ts';

type JoinNode = LogicalNode & { readonly kind: 'join' };

const keywords = {
  inner: 'JOIN',
  left: 'LEFT JOIN',
  right: 'RIGHT JOIN',
  full: 'FULL JOIN',
} as const;

export function renderJoin(
  context: PullContext,
  node: JoinNode,
  outer: Scope | undefined,
): NodeSql {
  const left = context.node(node.left, outer);
  const leftAlias = context.alias();
  const leftScope = inputScope(leftAlias, left.forms, outer);
  const right = context.node(node.right, node.lateral ? leftScope : outer);
  const rightAlias = context.alias();
  const rightScope = inputScope(rightAlias, right.forms, outer);
  const width = left.forms.length;
  const both: Scope = {
    column: (index) => (index < width ? leftScope.column(index) : rightScope.column(index - width)),
    outer,
  };
  const before = context.subqueries;
  const on = node.on === undefined ? undefined : context.expression(node.on, both).text;
  const hasSubquery = context.subqueries > before;
  const leftFrom = `(${left.text}) AS ${leftAlias}`;
  const rightFrom = `(${right.text}) AS ${rightAlias}`;
  const leftColumns = left.forms.map((_, i) => `${leftAlias}.c${i} AS c${i}`);
  if (node.type === 'semi' || node.type === 'anti') {
    const columns = leftColumns.length === 0 ? '1 AS nothing' : leftColumns.join(', ');
    const forms = left.forms;
    if (node.lateral || on === undefined || hasSubquery) {
      const exists = `EXISTS (SELECT 1 FROM ${rightFrom} WHERE ${on ?? 'TRUE'})`;
      const not = node.type === 'anti' ? 'NOT ' : '';
      return { text: `SELECT ${columns} FROM ${leftFrom} WHERE ${not}${exists}`, forms };
    }
    const keyword = node.type === 'semi' ? 'SEMI JOIN' : 'ANTI JOIN';
    return { text: `SELECT ${columns} FROM ${leftFrom} ${keyword} ${rightFrom} ON ${on}`, forms };
  }
  const columns = [
    ...leftColumns,
    ...right.forms.map((_, i) => `${rightAlias}.c${i} AS c${width + i}`),
  ];
  const list = columns.length === 0 ? '1 AS nothing' : columns.join(', ');
  const forms = [...left.forms, ...right.forms];
  // DuckDB joins outer on conditions without subqueries only; a lateral query's WHERE may hold them.
  if (hasSubquery && (node.type === 'left' || node.type === 'right')) {
    const [kept, other, alias] =
      node.type === 'left' ? [leftFrom, rightFrom, rightAlias] : [rightFrom, leftFrom, leftAlias];
    const matches = `LATERAL (SELECT * FROM ${other} WHERE ${on}) AS ${alias}`;
    return { text: `SELECT ${list} FROM ${kept} LEFT JOIN ${matches} ON TRUE`, forms };
  }
  const lateral = node.lateral ? 'LATERAL ' : '';
  const join =
    node.type === 'inner' && on === undefined
      ? `CROSS JOIN ${lateral}${rightFrom}`
      : `${keywords[node.type]} ${lateral}${rightFrom} ON ${on ?? 'TRUE'}`;
  return { text: `SELECT ${list} FROM ${leftFrom} ${join}`, forms };
}
