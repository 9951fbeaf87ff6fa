/** JSON_EXISTS, JSON_VALUE and JSON_QUERY with the clauses that parser-json-path.ts keeps as named arguments. */
import type { Expression, FunctionCall } from './ast.ts';
import { quoteIdentifier, typeText } from './deparse-name.ts';

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
