/** JSON_EXISTS, JSON_VALUE and JSON_QUERY with the clauses that parser-json-path.ts keeps as named arguments. */
import type { Expression, FromItem, FunctionCall, JsonTableColumn } from './ast.ts';
import { assertNever } from './base/assert.ts';
import { identifierText, quoteIdentifier, typeText, words } from './deparse-name.ts';

export function jsonPathText(node: FunctionCall, write: (value: Expression) => string): string {
  const [value, path, ...clauses] = node.args;
  const passed = clauses.filter(({ name }) => name?.name.startsWith('passing '));
  const words = clauses
    .filter((clause) => !passed.includes(clause))
    .map((clause) => clauseText(clause.name?.name ?? '', clause.value, write));
  const passing = passed.map(
    (clause) =>
      `${write(clause.value)} AS ${quoteIdentifier(clause.name?.name.slice('passing '.length) ?? '')}`,
  );
  const inside = [value, path].map((argument) =>
    argument === undefined ? '' : write(argument.value),
  );
  const parts = [
    inside.join(', '),
    passing.length > 0 ? `PASSING ${passing.join(', ')}` : '',
    ...words,
  ];
  return `${node.name.parts[0]?.name ?? ''}(${parts.filter((part) => part !== '').join(' ')})`;
}

function clauseText(name: string, value: Expression, write: (value: Expression) => string): string {
  const word = value.kind === 'string' ? value.value.toUpperCase() : '';
  switch (name) {
    case 'returning':
      return value.kind === 'cast' ? `RETURNING ${typeText(value.type)}` : '';
    case 'wrapper':
      return `${word === 'WITHOUT' ? word : `WITH ${word}`} WRAPPER`;
    case 'quotes':
      return `${word} QUOTES`;
    case 'on empty':
    case 'on error':
      return `${word} ${name.toUpperCase()}`;
    default:
      return `DEFAULT ${write(value)} ${name.slice('default '.length).toUpperCase()}`;
  }
}

/** JSON_TABLE without its alias. */
export function jsonTableText(
  table: FromItem & { readonly kind: 'json-table' },
  write: (value: Expression) => string,
): string {
  const { document, path, pathName, passing, columns, onError, lateral } = table;
  const passed = passing.map(
    ({ name, value }) => `${write(value)} AS ${quoteIdentifier(name?.name ?? '')}`,
  );
  const inside = words(
    `${write(document)}, ${write(path)}`,
    pathName && `AS ${identifierText(pathName)}`,
    passed.length > 0 && `PASSING ${passed.join(', ')}`,
    columnsText(columns, write),
    onError && `${onError.toUpperCase()} ON ERROR`,
  );
  return words(lateral && 'LATERAL', `JSON_TABLE(${inside})`);
}

function columnsText(
  columns: readonly JsonTableColumn[],
  write: (value: Expression) => string,
): string {
  return `COLUMNS (${columns.map((column) => columnText(column, write)).join(', ')})`;
}

function columnText(column: JsonTableColumn, write: (value: Expression) => string): string {
  switch (column.kind) {
    case 'ordinality':
      return `${identifierText(column.name)} FOR ORDINALITY`;
    case 'nested':
      return words(
        `NESTED PATH ${write(column.path)}`,
        column.pathName && `AS ${identifierText(column.pathName)}`,
        columnsText(column.columns, write),
      );
    case 'value':
      return words(
        identifierText(column.name),
        typeText(column.type),
        column.exists && 'EXISTS',
        column.format && 'FORMAT JSON',
        column.path && `PATH ${write(column.path)}`,
        ...column.clauses.map(({ name, value }) => clauseText(name?.name ?? '', value, write)),
      );
    default:
      return assertNever(column);
  }
}
