/** SHOW COLUMNS FROM name and SHOW INDEXES FROM name. */
import type { BindContext } from '../sql/bind-context.ts';
import { requireRelation } from '../sql/bind-relation.ts';
import { parseName } from '../sql/parser.ts';
import type { StatementResult } from './database.ts';
import { BOOLEAN, rowsResult, TEXT } from './row-result.ts';
import { describe, type ShowContext } from './show.ts';

const OF = /^(columns|indexes) from (.+)$/is;

/** @param what  as the parser gives it: the words, then the name as it was written. */
export const isShownOf = (what: string): boolean => OF.test(what);

/** @throws StreamError SQL_UNKNOWN_RELATION. */
export function showOf(showing: ShowContext, what: string, context: BindContext): StatementResult {
  const [, kind = '', written = ''] = OF.exec(what) ?? [];
  const relation = requireRelation(parseName(written), context);
  if (kind.toLowerCase() === 'columns') return describe(showing, relation, false);
  return rowsResult(
    'SHOW',
    [
      ['name', TEXT],
      ['unique', BOOLEAN],
      ['statement', TEXT],
    ],
    (relation.indexes ?? []).map(({ name, unique, sql }) => [name, unique, sql]),
  );
}
