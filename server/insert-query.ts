/**
 * ksqlDB's `INSERT INTO relation SELECT … EMIT CHANGES` goes on for ever: it is a sink into the relation, with a name of its own.
 */
import type { Statement } from '../sql/ast-statement.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Core } from './core.ts';

type Insert = Statement & { readonly kind: 'insert' };
type CreateSink = Statement & { readonly kind: 'create-sink' };

const PREFIX = 'insertquery_';

/** The sink that a statement stands for; undefined for one that writes what there is and ends. @throws StreamError SQL_NOT_SUPPORTED. */
export function insertQuery(core: Core, statement: Statement): CreateSink | undefined {
  if (statement.kind !== 'insert' || statement.source?.emit === undefined) return undefined;
  refuseClauses(statement);
  const { relation: table, columns, source: query, span } = statement;
  const name = { name: `${PREFIX}${core.catalog.lastId + 1}`, quoted: false, span };
  return {
    kind: 'create-sink',
    orReplace: false,
    ifNotExists: false,
    name: { parts: [name], span },
    into: { table, columns },
    from: undefined,
    query,
    options: [],
    span,
  };
}

function refuseClauses({ onConflict, overriding, returning, with: items, columns }: Insert): void {
  const part = columns.find(({ path }) => path !== undefined);
  const clauses = [
    ['ON CONFLICT', onConflict !== undefined],
    ['OVERRIDING', overriding !== undefined],
    ['RETURNING', returning.items.length > 0],
    ['WITH before it', items !== undefined],
    ['part of a column', part !== undefined],
  ] as const;
  const found = clauses.find(([, isThere]) => isThere);
  if (found === undefined) return;
  throw new StreamError('SQL_NOT_SUPPORTED', `INSERT … EMIT CHANGES takes no ${found[0]}`, {
    at: part?.span,
    hint: 'It goes on for ever, so it is a sink; without EMIT CHANGES it writes what there is now.',
  });
}
