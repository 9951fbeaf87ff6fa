import { StreamError } from '../sql/base/error.ts';
import type { BoundStatement } from '../sql/bound-statement.ts';
import type { Relation } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { logOf } from './definitions.ts';
import { inTurns } from './in-turns.ts';
import { dropRelations } from './lifecycle/drop.ts';
import type { LiveRelation, Referrer } from './live-catalog.ts';
import { okResult } from './row-result.ts';
import { boundTables } from './table-change.ts';
import { withChangedReferences } from './table-definition.ts';

const NOUNS: Readonly<Record<Relation['kind'], string>> = {
  stream: 'stream',
  table: 'table',
  view: 'view',
  'materialized-view': 'materialized view',
  sink: 'sink',
};

interface ReferenceTo extends Referrer {
  readonly target: string;
}

type BoundDrop = BoundStatement & { readonly kind: 'drop' };

/** Refused while something reads the relation, unless CASCADE: then that goes too, readers first. */
export async function dropStatement(core: Core, statement: BoundDrop): Promise<StatementResult> {
  const doomed: LiveRelation[] = [];
  for (const { name } of statement.relations) {
    refuseOwned(core, name);
    for (const one of core.catalog.withDependents(name))
      if (!doomed.includes(one)) doomed.push(one);
  }
  const references = referencesTo(core, doomed);
  if (!statement.cascade) refuseDependents(statement, doomed, references);
  if (doomed.length > 0) {
    const writers = doomed.flatMap(({ relation }) => core.writers.get(relation.id) ?? []);
    await inTurns(boundTables(core, writers), () =>
      dropRelations(core, doomed, withoutReferences(core, doomed, references)),
    );
  }
  if (statement.deleteTopic) await deleteTopics(core, doomed);
  const others =
    doomed.filter(({ owner }) => owner === undefined).length -
    statement.relations.length +
    references.length;
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

/** Foreign keys of tables that stay, to tables that go. */
function referencesTo(core: Core, doomed: readonly LiveRelation[]): readonly ReferenceTo[] {
  const gone = new Set(doomed.map(({ relation }) => relation.id));
  return doomed.flatMap(({ relation: target }) =>
    core.catalog
      .referring(target.name)
      .filter(({ relation }) => !gone.has(relation.id))
      .map((referrer) => ({ ...referrer, target: target.name })),
  );
}

/** DROP … CASCADE takes the constraint away, and leaves the table. */
function withoutReferences(
  core: Core,
  doomed: readonly LiveRelation[],
  references: readonly ReferenceTo[],
): readonly LiveRelation[] {
  const gone = new Set(doomed.map(({ relation }) => relation.name));
  const tables = new Map(references.map(({ relation }) => [relation.name, relation]));
  return [...tables.keys()].flatMap((name) => {
    const entry = core.catalog.find(name);
    if (entry === undefined) return [];
    return [withChangedReferences(core, entry, (one) => (gone.has(one.target) ? undefined : one))];
  });
}

function refuseDependents(
  statement: BoundDrop,
  doomed: readonly LiveRelation[],
  references: readonly ReferenceTo[],
): void {
  const named = new Set(statement.relations.map(({ name }) => name));
  const owners = new Set(doomed.map(({ relation }) => relation.id));
  const others = doomed.filter(
    ({ relation, owner }) =>
      !named.has(relation.name) && (owner === undefined || !owners.has(owner)),
  );
  if (others.length === 0 && references.length === 0) return;
  const name = statement.relations[0]?.name ?? '';
  const noun = statement.object.replaceAll('-', ' ');
  throw new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot drop ${noun} ${name} because other objects depend on it`,
    {
      detail: [
        ...others.map(
          ({ relation }) => `${NOUNS[relation.kind]} ${relation.name} depends on ${noun} ${name}`,
        ),
        ...references.map(
          ({ relation, reference, target }) =>
            `constraint ${reference.name} on table ${relation.name} depends on table ${target}`,
        ),
      ].join('\n'),
      hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
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
