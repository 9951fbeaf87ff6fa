/**
 * Syntax tree to canonical SQL text: parsing the text gives the same tree, apart from spans and
 * from how names were quoted. Views are kept in the catalogue as this text.
 */

import type { Expression, TypeName } from './ast.ts';
import type { Statement } from './ast-statement.ts';
import { assertNever } from './base/assert.ts';
import { DefinitionWriter } from './deparse-ddl.ts';
import { ManipulationWriter } from './deparse-dml.ts';
import { typeText } from './deparse-name.ts';
import { QueryWriter } from './deparse-query.ts';
import { SessionWriter } from './deparse-session.ts';

/** The text of a statement, without a semicolon. */
export function deparse(statement: Statement): string {
  return write(statement);
}

/** The text of an expression. */
export function deparseExpression(expression: Expression): string {
  return queries.expressions.write(expression);
}

/** The text of a type's name. */
export function deparseTypeName(type: TypeName): string {
  return typeText(type);
}

const queries = new QueryWriter(write);
const manipulations = new ManipulationWriter(queries);
const definitions = new DefinitionWriter(queries);
const sessions = new SessionWriter(queries, write);

function write(statement: Statement): string {
  switch (statement.kind) {
    case 'query':
      return queries.write(statement);
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
    case 'truncate':
      return manipulations.write(statement);
    case 'create-relation':
    case 'create-view':
    case 'create-sink':
    case 'create-connection':
    case 'create-secret':
    case 'create-type':
    case 'create-domain':
    case 'alter-type':
    case 'alter-domain':
    case 'create-function':
    case 'create-aggregate':
    case 'create-index':
    case 'create-schema':
    case 'create-sequence':
    case 'alter-sequence':
    case 'drop':
    case 'alter':
      return definitions.write(statement);
    case 'maintenance':
      return statement.text;
    case 'subscribe':
    case 'show':
    case 'describe':
    case 'explain':
    case 'print':
    case 'pause':
    case 'resume':
    case 'terminate':
    case 'set':
    case 'reset':
    case 'flush':
    case 'replay-errors':
    case 'begin':
    case 'commit':
    case 'rollback':
    case 'savepoint':
    case 'release':
    case 'prepare':
    case 'execute':
    case 'deallocate':
    case 'declare-cursor':
    case 'fetch':
    case 'move':
    case 'close-cursor':
    case 'copy':
      return sessions.write(statement);
    default:
      return assertNever(statement);
  }
}
