/** SHOW CREATE {STREAM | TABLE | VIEW | …} name: the statement that makes the relation as it is now. */
import type { QualifiedName } from '../sql/ast.ts';
import { StreamError } from '../sql/base/error.ts';
import type { BindContext } from '../sql/bind-context.ts';
import { requireRelation } from '../sql/bind-relation.ts';
import { signatureOf } from '../sql/bind-routine.ts';
import { findUserType } from '../sql/bind-type.ts';
import { isCalled, PUBLIC_SCHEMA } from '../sql/catalog.ts';
import { nameText, quoteIdentifier } from '../sql/deparse-name.ts';
import { parseName } from '../sql/parser.ts';
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
  if (object === 'function' || object === 'aggregate') {
    return showRoutines(object, written, context);
  }
  const named = parseName(written);
  if (object === 'type' || object === 'domain') return showCreateType(named, context);
  const relation = requireRelation(named, context);
  const kind = relation.kind.replace('-', ' ');
  // A view is either kind.
  const isOther = relation.kind === 'materialized-view' && object === 'view';
  if (!isOther && !isCalled(relation, object.replace(' ', '-'))) {
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${relation.name}" is not a ${object}`, {
      hint: `It is a ${kind}.`,
    });
  }
  return rowsResult('SHOW', COLUMNS, [[relation.name, maskSecrets(relation.sql)]]);
}

/** All overloads of a name, in the order of their creation. */
function showRoutines(
  object: 'function' | 'aggregate',
  written: string,
  { catalog }: BindContext,
): StatementResult {
  const name = parseName(written).parts.at(-1)?.name ?? '';
  const found = (catalog.routines?.named(name) ?? []).filter(
    ({ body }) => (body.kind === 'aggregate') === (object === 'aggregate'),
  );
  if (found.length === 0) {
    throw new StreamError('SQL_UNKNOWN_FUNCTION', `there is no ${object} "${name}"`, {
      hint: 'SHOW FUNCTIONS lists what there is.',
    });
  }
  const rows = found.map((routine) => [signatureOf(routine), routine.sql]);
  return rowsResult('SHOW', COLUMNS, rows);
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
  const routines = catalog.routines
    .all()
    .map((routine) => ({ id: routine.id, name: signatureOf(routine), sql: routine.sql }));
  const others = [...catalog.relations(), ...routines]
    .filter(({ sql }) => sql !== '')
    .sort((a, b) => a.id - b.id)
    .map(({ name, sql }) => [name, maskSecrets(sql)]);
  const types = catalog.types().map(({ name, sql }) => [name, sql]);
  return rowsResult('SHOW', COLUMNS, [...schemas, ...types, ...others]);
}
