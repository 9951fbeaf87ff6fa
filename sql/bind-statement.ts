/** Statements of every kind: the ones with names, queries or expressions in them are bound, the others pass through. */

import type { QualifiedName } from './ast.ts';
import type { Statement } from './ast-statement.ts';
import { StreamError } from './base/error.ts';
import { bindManipulation, bindWithChanges, withChangeItems } from './bind-changes.ts';
import type { BindContext, Purpose } from './bind-context.ts';
import { bindCreateRelation, noSources, type SourceEnvironment } from './bind-create-relation.ts';
import { requireWritable } from './bind-manipulation.ts';
import { bindOptions } from './bind-options.ts';
import { requireRelation } from './bind-relation.ts';
import { findNamed } from './bind-schema.ts';
import { bindCreateSink } from './bind-sink.ts';
import { bindCreateAs, bindCreateView } from './bind-view.ts';
import { bindContext, bindQueryIn } from './binder.ts';
import type { BoundKind, BoundStatement } from './bound-statement.ts';
import { type Catalog, isCalled, type Relation, type StatementContext } from './catalog.ts';

/**
 * Binds one statement.
 * @param sources what is known of connectors; needed for CREATE STREAM|TABLE only.
 * @throws StreamError with PostgreSQL's messages and SQLSTATEs.
 */
export function bindStatement(
  statement: Statement,
  catalog: Catalog,
  context: StatementContext,
  sources: SourceEnvironment = noSources,
): BoundStatement {
  const run = (purpose: Purpose) => bindContext(catalog, context, purpose);
  const changing = withChangeItems(statement);
  if (changing !== undefined) return bindWithChanges(changing, run('pull'));
  switch (statement.kind) {
    case 'query':
      return {
        kind: 'query',
        plan: bindQueryIn(statement, run(statement.emit === undefined ? 'pull' : 'view')),
        emit: statement.emit,
      };
    case 'create-relation':
      return statement.query === undefined
        ? bindCreateRelation(statement, run('view'), sources)
        : bindCreateAs(statement, statement.query, run('view'), sources);
    case 'create-view':
      return bindCreateView(statement, run('view'));
    case 'create-sink':
      return bindCreateSink(statement, run('sink'));
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return bindManipulation(statement, run('pull'));
    case 'truncate': {
      const relations = statement.relations.map((name) => requireWritable(name, run('pull')));
      const { restartIdentity = false, cascade = false } = statement;
      return { kind: 'truncate', relations, restartIdentity, cascade };
    }
    case 'subscribe': {
      const { target } = statement;
      const bound =
        'kind' in target ? bindQueryIn(target, run('view')) : requireRelation(target, run('view'));
      return { kind: 'subscribe', target: bound, options: bindOptions(statement.options) };
    }
    case 'describe': {
      const relation = requireRelation(statement.name, run('pull'));
      return { kind: 'describe', relation, extended: statement.extended };
    }
    case 'explain':
      return bindExplain(statement, catalog, context, sources);
    case 'drop':
      return bindDrop(statement, run('pull'));
    default:
      return statement satisfies Exclude<Statement, { readonly kind: BoundKind }>;
  }
}

function bindExplain(
  statement: Statement & { readonly kind: 'explain' },
  catalog: Catalog,
  context: StatementContext,
  sources: SourceEnvironment,
): BoundStatement {
  const { name } = statement;
  const options = bindOptions(statement.options);
  if (statement.statement !== undefined) {
    const target = bindStatement(statement.statement, catalog, context, sources);
    return { kind: 'explain', options, target };
  }
  if (name === undefined) {
    throw new StreamError('SQL_SYNTAX', 'EXPLAIN needs a statement or a name', {
      at: statement.span,
    });
  }
  const target = requireRelation(name, bindContext(catalog, context, 'pull'));
  return { kind: 'explain', options, target };
}

function bindDrop(
  statement: Statement & { readonly kind: 'drop' },
  context: BindContext,
): BoundStatement {
  const { object, cascade, deleteTopic } = statement;
  const relations: Relation[] = [];
  const missing: string[] = [];
  for (const name of statement.names) {
    const text = name.parts.at(-1)?.name ?? '';
    const relation = findNamed(name, context);
    if (relation === undefined || relation.id === 0) {
      if (!statement.ifExists) throw unknownObject(object, text, name);
      missing.push(text);
    } else {
      checkKind(relation, object, name);
      relations.push(relation);
    }
  }
  return { kind: 'drop', object, relations, missing, cascade, deleteTopic };
}

type Drop = Statement & { readonly kind: 'drop' };

const objectName = (object: Drop['object']): string => object.replaceAll('-', ' ');

function unknownObject(object: Drop['object'], name: string, at: QualifiedName): StreamError {
  return new StreamError('SQL_UNKNOWN_RELATION', `${objectName(object)} "${name}" does not exist`, {
    at: at.span,
  });
}

/** @throws StreamError SQL_WRONG_OBJECT_TYPE, as `DROP TABLE` of a view. */
function checkKind(relation: Relation, object: Drop['object'], name: QualifiedName): void {
  if (isCalled(relation, object)) return;
  const kind = objectName(relation.kind);
  throw new StreamError(
    'SQL_WRONG_OBJECT_TYPE',
    `"${relation.name}" is not a ${objectName(object)}`,
    { at: name.span, hint: `Use DROP ${kind.toUpperCase()} to remove a ${kind}.` },
  );
}
