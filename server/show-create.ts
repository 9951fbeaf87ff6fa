/** SHOW CREATE {STREAM | TABLE | VIEW | …} name: the statement that makes the relation as it is now. */
import type { QualifiedName } from '../sql/ast.ts';
import { assert } from '../sql/base/assert.ts';
import { StreamError } from '../sql/base/error.ts';
import type { BindContext } from '../sql/bind-context.ts';
import { requireRelation } from '../sql/bind-relation.ts';
import { findUserType } from '../sql/bind-type.ts';
import { PUBLIC_SCHEMA } from '../sql/catalog.ts';
import { nameText, quoteIdentifier } from '../sql/deparse-name.ts';
import { parseStatement } from '../sql/parser.ts';
import type { StatementResult } from './database.ts';
import type { LiveCatalog } from './live-catalog.ts';
import { maskSecrets } from './mask-secrets.ts';
import { rowsResult, TEXT } from './row-result.ts';

const COLUMNS = [
  ['name', TEXT],
  ['statement', TEXT],
] as const;

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
  if (object === 'type' || object === 'domain') return showCreateType(described.name, context);
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
  return rowsResult('SHOW', COLUMNS, [[relation.name, maskSecrets(relation.sql)]]);
}

function showCreateType(name: QualifiedName, context: BindContext): StatementResult {
  const written = nameText(name);
  const type = findUserType(name.parts.map((part) => part.name).join('.'), context);
  if (type !== undefined) return rowsResult('SHOW', COLUMNS, [[type.name, type.sql]]);
  throw new StreamError('SQL_UNKNOWN_TYPE', `type "${written}" does not exist`);
}

/** SHOW CREATE ALL: the statements that make everything there is, in an order in which they can be run. */
export function showCreateAll(catalog: LiveCatalog): StatementResult {
  const schemas = catalog
    .schemas()
    .filter((name) => name !== PUBLIC_SCHEMA)
    .map((name) => [name, `CREATE SCHEMA ${quoteIdentifier(name)}`]);
  const relations = [...catalog.relations()]
    .filter(({ sql }) => sql !== '')
    .sort((a, b) => a.id - b.id)
    .map(({ name, sql }) => [name, maskSecrets(sql)]);
  const types = catalog.types().map(({ name, sql }) => [name, sql]);
  return rowsResult('SHOW', COLUMNS, [...schemas, ...types, ...relations]);
}
