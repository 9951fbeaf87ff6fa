/**
 * ksqlDB's tables over windows have the bounds of the window beside the columns that are selected: whoever reads the table may ask for
 * WINDOWSTART and WINDOWEND.
 */
import type { Expression, Query, SelectItem } from './ast.ts';

const BOUNDS = ['windowstart', 'windowend'] as const;

/**
 * The query with the bounds of its windows as last columns, without those that it names so itself.
 * @returns how many were added; none where the rows are no groups of windows.
 */
export function withWindowBounds(query: Query): { readonly query: Query; readonly added: number } {
  const { body } = query;
  const isWindowed =
    body.kind === 'select' &&
    body.streamWindow !== undefined &&
    body.groupBy.length > 0 &&
    body.distinct.kind === 'all';
  if (!isWindowed) return { query, added: 0 };
  const names = new Set(body.items.map(nameOf));
  const items = BOUNDS.filter((name) => !names.has(name)).map((name): SelectItem => {
    const { span } = query;
    const identifier = { name, span, quoted: false };
    const expression: Expression = { kind: 'column', name: { parts: [identifier], span }, span };
    return { expression, alias: identifier, span };
  });
  return {
    query: { ...query, body: { ...body, items: [...body.items, ...items] } },
    added: items.length,
  };
}

function nameOf({ expression, alias }: SelectItem): string | undefined {
  if (alias !== undefined) return alias.name;
  return expression.kind === 'column' ? expression.name.parts.at(-1)?.name : undefined;
}
