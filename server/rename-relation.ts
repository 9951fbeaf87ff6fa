/** A relation's new name in the definitions of what reads it. */

import type { Identifier, QualifiedName } from '../sql/ast.ts';
import type { SinkTable } from '../sql/ast-relation.ts';
import { PUBLIC_SCHEMA } from '../sql/catalog.ts';
import type { CreateStatement } from './alter-text.ts';

/**
 * The statement with the new name wherever it reads the relation. The old name stays as the alias there, so that columns
 * and rows are still called by it.
 * @param from  a name in `public`.
 * @returns undefined where an item of WITH has one of the names, which then would mean something else.
 */
export function withRenamedRelation(
  statement: CreateStatement,
  from: string,
  to: Identifier,
): CreateStatement | undefined {
  if (namesCommonTable(statement, [from, to.name])) return undefined;
  const { name, ...rest } = statement;
  return { ...(renamed(rest, from, to) as object), name } as CreateStatement;
}

/** One tree of syntax: FROM items, `TABLE name`, the FROM of a sink. */
function renamed(node: unknown, from: string, to: Identifier): unknown {
  if (Array.isArray(node)) return node.map((item) => renamed(item, from, to));
  if (typeof node !== 'object' || node === null) return node;
  const copy: Record<string, unknown> = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, renamed(value, from, to)]),
  );
  switch (copy.kind) {
    case 'relation': {
      const own = isNamed(copy.name, from) ? copy.name.parts.at(-1) : undefined;
      if (own === undefined) return copy;
      return { ...copy, name: nameTo(copy.name, to), alias: copy.alias ?? aliasOf(own) };
    }
    case 'window-table': {
      // The alias of a window's rows is behind the call.
      const { source } = node as {
        readonly source?: { readonly name?: unknown; readonly alias?: unknown };
      };
      if (!isNamed(source?.name, from) || source?.alias !== undefined) return copy;
      const alias = copy.alias ?? aliasOf(source.name.parts.at(-1) ?? to);
      return { ...copy, source: { ...(copy.source as object), alias: undefined }, alias };
    }
    case 'table':
      return isNamed(copy.name, from) ? { ...copy, name: nameTo(copy.name, to) } : copy;
    case 'create-sink': {
      const table = copy.into as SinkTable | undefined;
      const into = isNamed(table?.table, from)
        ? { ...table, table: nameTo(table.table, to) }
        : table;
      return isNamed(copy.from, from)
        ? { ...copy, into, from: nameTo(copy.from, to) }
        : { ...copy, into };
    }
    case undefined:
      return isNamed(copy.from, from) ? { ...copy, from: nameTo(copy.from, to) } : copy;
    default:
      return copy;
  }
}

const aliasOf = (name: Identifier) => ({ name, columns: [] });

const nameTo = (name: unknown, to: Identifier): QualifiedName => {
  const { parts, span } = name as QualifiedName;
  return { parts: [...parts.slice(0, -1), to], span };
};

function isNamed(node: unknown, name: string): node is QualifiedName {
  if (typeof node !== 'object' || node === null || !('parts' in node)) return false;
  const { parts } = node as QualifiedName;
  const schema = parts.at(-2)?.name ?? PUBLIC_SCHEMA;
  return parts.at(-1)?.name === name && schema === PUBLIC_SCHEMA;
}

function namesCommonTable(node: unknown, names: readonly string[]): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some((item) => namesCommonTable(item, names));
  const { name } = node as { readonly name?: { readonly name?: unknown } };
  const isCommonTable = 'materialized' in node && 'statement' in node;
  if (isCommonTable && names.includes(String(name?.name))) return true;
  return Object.values(node).some((value) => namesCommonTable(value, names));
}
