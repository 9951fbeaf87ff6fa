import type { Statement } from '../sql/ast.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Relation } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { logOf } from './definitions.ts';
import { nameText } from './execute.ts';
import { dropRelations } from './lifecycle.ts';
import type { LiveRelation } from './live-catalog.ts';
import { okResult } from './row-result.ts';

const NOUNS: Readonly<Record<Relation['kind'], string>> = {
  stream: 'stream',
  table: 'table',
  view: 'view',
  'materialized-view': 'materialized view',
  sink: 'sink',
};

/** Refused while something reads the relation, unless CASCADE: then that goes too, readers first. */
export async function dropStatement(
  core: Core,
  statement: Statement & { readonly kind: 'drop' },
): Promise<StatementResult> {
  const tag = `DROP ${statement.object.replaceAll('-', ' ').toUpperCase()}`;
  const doomed: LiveRelation[] = [];
  const skipped: string[] = [];
  for (const name of statement.names) {
    const text = nameText(name);
    const entry = core.catalog.find(text);
    if (entry === undefined) {
      if (!statement.ifExists) {
        throw new StreamError(
          'SQL_UNKNOWN_RELATION',
          `${nounOf(statement.object)} "${text}" does not exist`,
          {
            at: name.span,
          },
        );
      }
      skipped.push(text);
      continue;
    }
    checkKind(statement, entry, name.span);
    for (const one of core.catalog.withDependents(text))
      if (!doomed.includes(one)) doomed.push(one);
  }
  if (!statement.cascade) refuseDependents(statement, doomed);
  if (doomed.length > 0) await dropRelations(core, doomed);
  if (statement.deleteTopic) await deleteTopics(core, doomed);
  const others = doomed.filter(({ owner }) => owner === undefined).length - statement.names.length;
  const notes = [
    ...skipped.map((name) => `"${name}" does not exist, skipping`),
    ...(others > 0
      ? [`drop cascades to ${others} other ${others === 1 ? 'object' : 'objects'}`]
      : []),
  ];
  return okResult(tag, notes.join('; '));
}

function nounOf(object: string): string {
  return object.replaceAll('-', ' ');
}

function checkKind(
  statement: Statement & { readonly kind: 'drop' },
  { relation, owner }: LiveRelation,
  at: StreamError['at'],
): void {
  const { object } = statement;
  if (owner !== undefined) {
    throw new StreamError('SQL_DEPENDENT_OBJECTS', `"${relation.name}" belongs to its stream`, {
      at,
      hint: 'It is dropped with the stream.',
    });
  }
  const isSource = relation.kind === 'stream' || relation.kind === 'table';
  // CREATE TABLE … AS SELECT makes a materialized view, which its owner knows as a table.
  const isTableView =
    relation.kind === 'materialized-view' &&
    object === 'table' &&
    /^\s*create\s+(or\s+replace\s+)?table/i.test(relation.sql);
  if (object === relation.kind || (object === 'source' && isSource) || isTableView) return;
  throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${relation.name}" is not a ${nounOf(object)}`, {
    at,
    hint: `Use DROP ${NOUNS[relation.kind].toUpperCase()} to remove a ${NOUNS[relation.kind]}.`,
  });
}

function refuseDependents(
  statement: Statement & { readonly kind: 'drop' },
  doomed: readonly LiveRelation[],
): void {
  const named = new Set(statement.names.map(nameText));
  const owners = new Set(doomed.map(({ relation }) => relation.id));
  const others = doomed.filter(
    ({ relation, owner }) =>
      !named.has(relation.name) && (owner === undefined || !owners.has(owner)),
  );
  if (others.length === 0) return;
  const [first] = statement.names;
  const name = first === undefined ? '' : nameText(first);
  throw new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot drop ${nounOf(statement.object)} ${name} because other objects depend on it`,
    {
      at: first?.span,
      detail: others
        .map(({ relation }) => `${NOUNS[relation.kind]} ${relation.name} depends on ${name}`)
        .join('\n'),
      hint: 'Use DROP … CASCADE to drop the dependent objects too.',
    },
  );
}

async function deleteTopics(core: Core, dropped: readonly LiveRelation[]): Promise<void> {
  for (const { relation } of dropped) {
    if (relation.kind !== 'stream' && relation.kind !== 'table') continue;
    const topic = relation.input?.topic;
    if (topic !== undefined) await logOf(core.connectors, relation)?.delete(topic);
  }
}
