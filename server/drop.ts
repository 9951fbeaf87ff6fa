import { StreamError } from '../sql/base/error.ts';
import type { BoundStatement } from '../sql/bound-statement.ts';
import type { Relation } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { logOf } from './definitions.ts';
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

type BoundDrop = BoundStatement & { readonly kind: 'drop' };

/** Refused while something reads the relation, unless CASCADE: then that goes too, readers first. */
export async function dropStatement(core: Core, statement: BoundDrop): Promise<StatementResult> {
  const doomed: LiveRelation[] = [];
  for (const { name } of statement.relations) {
    refuseOwned(core, name);
    for (const one of core.catalog.withDependents(name))
      if (!doomed.includes(one)) doomed.push(one);
  }
  if (!statement.cascade) refuseDependents(statement, doomed);
  if (doomed.length > 0) await dropRelations(core, doomed);
  if (statement.deleteTopic) await deleteTopics(core, doomed);
  const others =
    doomed.filter(({ owner }) => owner === undefined).length - statement.relations.length;
  const notes = [
    ...statement.missing.map((name) => `"${name}" does not exist, skipping`),
    ...(others > 0
      ? [`drop cascades to ${others} other ${others === 1 ? 'object' : 'objects'}`]
      : []),
  ];
  const tag = `DROP ${statement.object.replaceAll('-', ' ').toUpperCase()}`;
  return okResult(tag, notes.join('; '));
}

function refuseOwned(core: Core, name: string): void {
  if (core.catalog.find(name)?.owner === undefined) return;
  throw new StreamError('SQL_DEPENDENT_OBJECTS', `"${name}" belongs to another relation`, {
    hint: 'It is dropped with that one.',
  });
}

function refuseDependents(statement: BoundDrop, doomed: readonly LiveRelation[]): void {
  const named = new Set(statement.relations.map(({ name }) => name));
  const owners = new Set(doomed.map(({ relation }) => relation.id));
  const others = doomed.filter(
    ({ relation, owner }) =>
      !named.has(relation.name) && (owner === undefined || !owners.has(owner)),
  );
  if (others.length === 0) return;
  const name = statement.relations[0]?.name ?? '';
  throw new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot drop ${statement.object.replaceAll('-', ' ')} ${name} because other objects depend on it`,
    {
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
