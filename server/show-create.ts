/** SHOW CREATE {STREAM | TABLE | VIEW | …} name: the statement that makes the relation as it is now. */
import { assert } from '../sql/base/assert.ts';
import { StreamError } from '../sql/base/error.ts';
import type { BindContext } from '../sql/bind-context.ts';
import { requireRelation } from '../sql/bind-relation.ts';
import { parseStatement } from '../sql/parser.ts';
import type { StatementResult } from './database.ts';
import { maskSecrets } from './mask-secrets.ts';
import { rowsResult, TEXT } from './row-result.ts';

const WRITTEN = /^create ((?:materialized )?\w+) (.+)$/is;

/** @param what  as the parser gives it: the words, then the name as it was written. */
export function isShowCreate(what: string): boolean {
  return WRITTEN.test(what);
}

/** @throws StreamError SQL_UNKNOWN_RELATION, SQL_WRONG_OBJECT_TYPE. */
export function showCreate(what: string, context: BindContext): StatementResult {
  const [, object = '', written = ''] = WRITTEN.exec(what) ?? [];
  const described = parseStatement(`DESCRIBE ${written}`);
  assert(described.kind === 'describe', 'a name was parsed');
  const relation = requireRelation(described.name, context);
  const kind = relation.kind.replace('-', ' ');
  const isSource = relation.kind === 'stream' || relation.kind === 'table';
  const isMeant = object === kind || (object === 'source' && isSource);
  // CREATE TABLE … AS makes a materialized view, and a view is either kind.
  const isOther =
    relation.kind === 'materialized-view' && (object === 'view' || object === 'table');
  if (!isMeant && !isOther) {
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${relation.name}" is not a ${object}`, {
      hint: `It is a ${kind}.`,
    });
  }
  return rowsResult(
    'SHOW',
    [
      ['name', TEXT],
      ['statement', TEXT],
    ],
    [[relation.name, maskSecrets(relation.sql)]],
  );
}
