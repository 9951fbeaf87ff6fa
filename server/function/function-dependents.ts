/** What depends on a user-defined function: found by binding again whatever names it. */
import { StreamError } from '../../sql/base/error.ts';
import { signatureOf } from '../../sql/bind-routine.ts';
import { bindRoutineAgain } from '../../sql/bind-routine-use.ts';
import { bindStatement } from '../../sql/bind-statement.ts';
import { bindContext } from '../../sql/binder.ts';
import type { Catalog } from '../../sql/catalog.ts';
import { parseStatement } from '../../sql/parser.ts';
import type { Routine } from '../../sql/routine.ts';
import type { Core } from '../core.ts';
import { sourceEnvironment } from '../ddl.ts';
import { withIndexes } from '../indexes.ts';
import type { LiveRelation } from '../live-catalog.ts';
import { statementContext } from '../statement-context.ts';

export type Dependent = { readonly text: string } & (
  | { readonly kind: 'relation'; readonly entry: LiveRelation }
  | { readonly kind: 'routine'; readonly routine: Routine }
);

/** Directly, in the order of their creation. Nothing of it is kept: a definition says itself what it calls. */
export function dependentsOf(core: Core, routine: Routine): readonly Dependent[] {
  // A name in quotes may be written otherwise, but holds its letters in order.
  const isNamed = (sql: string): boolean =>
    sql.toLowerCase().includes(routine.name.toLowerCase().replaceAll('"', '""'));
  const relations = core.catalog
    .live()
    .filter(({ relation, owner, detail }) => {
      const texts = [relation.sql, ...(detail.indexes ?? [])];
      return owner === undefined && relation.sql !== '' && texts.some(isNamed);
    })
    .filter((entry) => usedBy(core, routine, (catalog) => bindRelation(core, entry, catalog)))
    .map(
      (entry): Dependent => ({
        kind: 'relation',
        entry,
        text: `${entry.relation.kind.replace('-', ' ')} ${entry.relation.name}`,
      }),
    );
  const routines = core.catalog.routines
    .all()
    .filter((one) => one.id !== routine.id && isNamed(one.sql))
    .filter((one) =>
      usedBy(core, routine, (catalog) =>
        bindRoutineAgain(one, bindContext(catalog, statementContext(core, new Map()), 'pull')),
      ),
    )
    .map(
      (one): Dependent => ({
        kind: 'routine',
        routine: one,
        text: `${one.body.kind === 'aggregate' ? 'aggregate' : 'function'} ${signatureOf(one)}`,
      }),
    );
  return [...relations, ...routines];
}

function usedBy(core: Core, routine: Routine, bind: (catalog: Catalog) => void): boolean {
  const { catalog } = core;
  let isUsed = false;
  const listening: Catalog = {
    relation: (name) => catalog.relation(name),
    relations: () => catalog.relations(),
    schemas: () => catalog.schemas(),
    type: (name) => catalog.type(name),
    types: () => catalog.types(),
    routines: {
      named: (name) => catalog.routines.named(name),
      all: () => catalog.routines.all(),
      uses: ({ id }) => {
        if (id === routine.id) isUsed = true;
      },
    },
  };
  try {
    bind(listening);
  } catch (error) {
    // A body may name what is not there any more.
    if (!(error instanceof StreamError)) throw error;
  }
  return isUsed;
}

function bindRelation(core: Core, { relation, detail }: LiveRelation, catalog: Catalog): void {
  const { searchPath, indexes = [] } = detail;
  const settings = searchPath === undefined ? [] : [['search_path', searchPath] as const];
  const context = statementContext(core, new Map(settings));
  const sources = { ...sourceEnvironment(core), trustsReferences: true };
  bindStatement(parseStatement(relation.sql), catalog, context, sources);
  withIndexes(relation, indexes, bindContext(catalog, context, 'view'));
}
