/** A column's new name wherever a table's own expressions use the old one: CHECKs, generated columns, indexes. */

/** Replaces the name in every `column` node of a syntax tree; the tree has one table, so that a name means one thing. */
export function withRenamedColumn<Node>(node: Node, from: string, to: string): Node {
  if (Array.isArray(node)) return node.map((item) => withRenamedColumn(item, from, to)) as Node;
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) => [
    key,
    withRenamedColumn(value, from, to),
  ]);
  const copy = Object.fromEntries(entries);
  return (isColumn(copy) ? { ...copy, name: renamed(copy.name, from, to) } : copy) as Node;
}

interface ColumnName {
  readonly parts: readonly { readonly name: string }[];
}

function isColumn(node: object): node is { readonly name: ColumnName } {
  return 'kind' in node && node.kind === 'column' && 'name' in node;
}

/** The column is the last part, but for a field of a composite column. */
function renamed(name: ColumnName, from: string, to: string): ColumnName {
  const at = name.parts.length - 1;
  if (name.parts[at]?.name !== from) return name;
  return { ...name, parts: name.parts.with(at, { ...name.parts[at], name: to }) };
}

/** Whether a column node has the name. */
export function namesColumn(node: unknown, name: string): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (!Array.isArray(node) && isColumn(node) && node.name.parts.at(-1)?.name === name) return true;
  return Object.values(node).some((value) => namesColumn(value, name));
}
