/** TRUNCATE: all tables of the statement are emptied together, or none. */
import { StreamError } from '../sql/base/error.ts';
import type { BoundStatement } from '../sql/bound-statement.ts';
import type { SourceRelation } from '../sql/catalog.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';
import { bareName } from './constraints.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { collectRows } from './pull.ts';
import { okResult } from './row-result.ts';
import { changeTables, notATable } from './table-change.ts';
import type { TableWriter } from './table-writer.ts';
import type { Transaction } from './transaction.ts';

type BoundTruncate = BoundStatement & { readonly kind: 'truncate' };

/** @throws StreamError SQL_WRONG_OBJECT_TYPE; SQL_NOT_SUPPORTED while rows of other tables refer to them. */
export async function truncateTables(
  core: Core,
  statement: BoundTruncate,
  signal: AbortSignal,
  transaction: Transaction | undefined,
): Promise<StatementResult> {
  const tables = withReferring(core, statement);
  const writers = tables.map((relation): TableWriter => {
    const writer = core.writers.get(relation.id);
    if (writer === undefined) throw notATable(relation);
    return writer;
  });
  if (statement.restartIdentity && transaction !== undefined) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      'TRUNCATE … RESTART IDENTITY is not supported in a transaction',
      {
        hint: 'The values of a sequence are not taken back by ROLLBACK. TRUNCATE outside of a transaction.',
      },
    );
  }
  await changeTables(core, writers, transaction, async (drafts) => {
    for (const writer of writers) {
      await writer.settled();
      const { name, schema } = writer.relation;
      const plan: LogicalNode = { kind: 'scan', relation: name, schema };
      const draft = await drafts.of(writer);
      const rows = await collectRows(core, plan, signal, transaction);
      draft.replace(rows.map((before) => ({ before, after: undefined })));
    }
  });
  if (statement.restartIdentity) await restartSequences(core, tables);
  return okResult('TRUNCATE TABLE', '');
}

async function restartSequences(core: Core, tables: readonly SourceRelation[]): Promise<void> {
  const owned = tables.flatMap(({ name }) => core.sequences.ownedBy(name));
  const first = owned.map((one) => ({ ...one, last: one.options.start, isCalled: false }));
  await core.engine.atBoundary(() => core.sequences.put(first));
}

/** With CASCADE, also what refers to the tables, over several foreign keys. */
function withReferring(
  core: Core,
  { relations, cascade }: BoundTruncate,
): readonly SourceRelation[] {
  const tables = [...relations];
  for (const table of tables) {
    for (const { relation } of core.catalog.referring(table.name)) {
      if (tables.some(({ id }) => id === relation.id)) continue;
      if (!cascade) throw stillReferred(table, relation);
      tables.push(relation);
    }
  }
  return tables;
}

function stillReferred(table: SourceRelation, child: SourceRelation): StreamError {
  return new StreamError(
    'SQL_NOT_SUPPORTED',
    'cannot truncate a table referenced in a foreign key constraint',
    {
      detail: `Table "${bareName(child)}" references "${bareName(table)}".`,
      hint: `Truncate table "${bareName(child)}" at the same time, or use TRUNCATE ... CASCADE.`,
    },
  );
}
