/** REPLAY ERRORS: records that were refused are read again, after their stream's definition was mended. */

import { RECORD_ERROR } from '../engine/runtime/error-schema.ts';
import type { Statement } from '../sql/ast-statement.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { SourceRelation } from '../sql/catalog.ts';
import { deparseExpression } from '../sql/deparse.ts';
import { quoteIdentifier } from '../sql/deparse-name.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { engineStreamId } from './definitions.ts';
import { runQueryText } from './pull.ts';
import { okResult } from './row-result.ts';

type Replay = Statement & { readonly kind: 'replay-errors' };

/** The rows that come of it and the error rows that go are one commit, which has happened when this settles. */
export async function replayErrors(
  core: Core,
  statement: Replay,
  signal: AbortSignal,
): Promise<StatementResult> {
  const counts = { replayed: 0, failed: 0, cut: 0 };
  for (const stream of streamsOf(core, statement)) {
    const errors = core.catalog.find(stream.name)?.detail.errorsId;
    const errorsName = core.catalog.findById(errors ?? 0)?.relation.name;
    if (errors === undefined || errorsName === undefined) continue;
    const isMeant = await condition(core, errorsName, statement, signal);
    const part = await core.engine.atBoundary(async () =>
      core.engine.replayErrors(engineStreamId(stream), errors, isMeant),
    );
    counts.replayed += part.replayed;
    counts.failed += part.failed;
    counts.cut += part.cut;
  }
  // The next boundary comes after the commit of what the last one did.
  await core.engine.atBoundary(async () => undefined);
  const notes = [
    `${counts.replayed} replayed`,
    `${counts.failed} still bad`,
    ...(counts.cut > 0 ? [`${counts.cut} not kept whole`] : []),
  ];
  return okResult(`REPLAY ${counts.replayed}`, notes.join(', '));
}

function streamsOf(core: Core, { from, span }: Replay): readonly SourceRelation[] {
  const all = core.catalog
    .relations()
    .filter(
      (relation): relation is SourceRelation =>
        (relation.kind === 'stream' || relation.kind === 'table') && relation.input !== undefined,
    );
  const streams = all.filter(
    ({ kind, primaryKey }) => kind === 'stream' || primaryKey.length === 0,
  );
  if (from === undefined) return streams;
  const name = from.parts.at(-1)?.name ?? '';
  const found = streams.find((stream) => stream.name === name);
  if (found !== undefined) return [found];
  if (core.catalog.relation(name) === undefined) {
    throw new StreamError('SQL_UNKNOWN_RELATION', `stream "${name}" does not exist`, {
      at: from.span,
    });
  }
  const isChangelog = all.some((relation) => relation.name === name);
  throw new StreamError('SQL_WRONG_OBJECT_TYPE', `errors of "${name}" cannot be replayed`, {
    at: span,
    hint: isChangelog
      ? 'A changelog cannot be read out of order: DROP and CREATE the table.'
      : 'Records of streams can. Rows that fail in a view are computed again when they change.',
  });
}

/** The rows of the error relation that WHERE is true for. */
async function condition(
  core: Core,
  errors: string,
  { where }: Replay,
  signal: AbortSignal,
): Promise<(row: Row) => boolean> {
  if (where === undefined) return () => true;
  const text = `SELECT partition, "offset" FROM ${quoteIdentifier(errors)} WHERE ${deparseExpression(where)}`;
  const { chunks } = await runQueryText(core, text, signal);
  const meant = new Set<string>();
  for await (const rows of chunks) for (const row of rows) meant.add(row.join(':'));
  return (row) => meant.has(`${row[RECORD_ERROR.partition]}:${row[RECORD_ERROR.offset]}`);
}
