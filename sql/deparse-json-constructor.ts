/** SQL/JSON's constructors and aggregates with the clauses that parser-json.ts keeps as named arguments. */
import type { Expression, FunctionCall } from './ast.ts';
import { typeText, words } from './deparse-name.ts';
import { ON_NULL, QUERY, RETURNING, UNIQUE_KEYS } from './json-constructor-clause.ts';

/** @param orderBy  that of the call, as text. */
export function jsonConstructorText(
  { name: { parts }, args }: FunctionCall,
  write: (value: Expression) => string,
  orderBy: string | undefined,
): string {
  const name = parts[0]?.name ?? '';
  const clause = (wanted: string): Expression | undefined =>
    args.find((argument) => argument.name?.name === wanted)?.value;
  const values = args.filter((one) => one.name === undefined).map(({ value }) => write(value));
  const isObject = name === 'json_object' || name === 'json_objectagg';
  const items = isObject
    ? values.flatMap((key, i) => (i % 2 === 0 ? [`${key} : ${values[i + 1]}`] : []))
    : values;
  const nulls = clause(ON_NULL);
  const returning = clause(RETURNING);
  const query = clause(QUERY);
  const inside = words(
    query?.kind === 'array-query' ? write(query).replace(/^ARRAY\(|\)$/g, '') : items.join(', '),
    orderBy,
    nulls?.kind === 'string' && items.length > 0 && `${nulls.value.toUpperCase()} ON NULL`,
    clause(UNIQUE_KEYS) && 'WITH UNIQUE KEYS',
    returning?.kind === 'cast' && `RETURNING ${typeText(returning.type)}`,
  );
  return `${name.toUpperCase()}(${inside})`;
}
