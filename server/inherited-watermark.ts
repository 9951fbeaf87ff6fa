/** `CREATE STREAM … AS SELECT` without a WATERMARK of its own: that of the stream that it reads, where it holds for the new one too. */

import type { Identifier } from '../sql/ast.ts';
import type { Option, Watermark } from '../sql/ast-relation.ts';
import type { Statement } from '../sql/ast-statement.ts';
import { assert } from '../sql/base/assert.ts';
import type { BoundCreateRelation } from '../sql/bound-statement.ts';
import type { Catalog, SourceRelation } from '../sql/catalog.ts';
import { mapColumns } from '../sql/logical-map.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';
import { parseStatement } from '../sql/parser.ts';
import type { Core } from './core.ts';
import { logOf } from './definitions.ts';
import { withRenamedColumn } from './rename-column.ts';

type CreateRelation = Statement & { readonly kind: 'create-relation' };

const IDLE_TIMEOUT = 'idle_timeout';

/**
 * The statement with the watermark that it inherits, and with how long the stream may be silent; the same object where there is none
 * to inherit. A record of the new stream must never be late that was not late in the source. So the query keeps the order of the
 * source's records (filters and projections do), and the source has one partition: those of several come in any order, while each is
 * late by the watermark of its own. Nor are there records in the new stream's topic, which somebody else may write to.
 */
export async function withInheritedWatermark(
  core: Core,
  statement: CreateRelation,
  { relation }: BoundCreateRelation,
): Promise<CreateRelation> {
  const { query } = relation;
  if (relation.kind !== 'stream' || query === undefined || relation.watermark !== undefined) {
    return statement;
  }
  for (const [index, { name }] of query.schema.entries()) {
    const origin = originOfTime(query, index, core.catalog);
    if (origin === undefined || !readsItsColumnAlone(origin.source)) continue;
    const { source } = origin;
    const isOrdered = (await partitionsOf(core, source)) === 1 && (await isNew(core, relation));
    if (!isOrdered) return statement;
    const watermark = watermarkFor({ name, quoted: true, span: statement.span }, source);
    return { ...statement, watermark, options: withIdleTimeout(statement, origin) };
  }
  return statement;
}

interface TimeOrigin {
  readonly source: SourceRelation;
  /** Some of the source's records are left out. */
  readonly isFiltered: boolean;
}

/** The stream whose event time a column is, unchanged, row after row in the order of its records. */
function originOfTime(node: LogicalNode, column: number, catalog: Catalog): TimeOrigin | undefined {
  switch (node.kind) {
    case 'scan': {
      const relation = catalog.relation(node.relation);
      const isTime = relation?.kind === 'stream' && relation.watermark?.column === column;
      return isTime ? { source: relation, isFiltered: false } : undefined;
    }
    case 'filter': {
      const origin = originOfTime(node.input, column, catalog);
      return origin && { ...origin, isFiltered: true };
    }
    case 'project': {
      const expression = node.expressions[column];
      return expression?.kind === 'column'
        ? originOfTime(node.input, expression.index, catalog)
        : undefined;
    }
    default:
      return undefined;
  }
}

/** A watermark over other columns too would need those in the new stream. */
function readsItsColumnAlone({ watermark }: SourceRelation): boolean {
  let isAlone = true;
  if (watermark !== undefined) {
    mapColumns(watermark.expression, (column) => {
      isAlone &&= column.index === watermark.column;
      return column;
    });
  }
  return isAlone;
}

/** A generator has one. */
async function partitionsOf(core: Core, source: SourceRelation): Promise<number | undefined> {
  const log = logOf(core.connectors, source);
  if (log === undefined || source.input === undefined) return 1;
  return (await log.describe(source.input.topic))?.partitions;
}

async function isNew(core: Core, { input }: BoundCreateRelation['relation']): Promise<boolean> {
  if (input === undefined) return true;
  const log = core.connectors.log(input.connector);
  if (log === undefined || (await log.describe(input.topic)) === undefined) return true;
  const bounds = await log.bounds(input.topic);
  return [...bounds.values()].every(({ earliest, end }) => earliest === end);
}

function watermarkFor(column: Identifier, source: SourceRelation): Watermark {
  const created = parseStatement(source.sql);
  const watermark = created.kind === 'create-relation' ? created.watermark : undefined;
  assert(watermark !== undefined, 'the stream has a watermark in its statement');
  const expression = withRenamedColumn(watermark.expression, watermark.column.name, column.name);
  return { ...watermark, column, expression };
}

/**
 * How long the stream may be silent before the clock moves its watermark, unless the statement says so. Where records are left out
 * it may always be: the clock would run ahead of a source that goes on, and make the next record late.
 */
function withIdleTimeout(
  { options, span }: CreateRelation,
  { source, isFiltered }: TimeOrigin,
): readonly Option[] {
  if (options.some(({ key }) => key === IDLE_TIMEOUT)) return options;
  const value = isFiltered ? '0' : source.input?.options.get(IDLE_TIMEOUT);
  if (value === undefined) return options;
  return [...options, { key: IDLE_TIMEOUT, value: { kind: 'string', value, span }, span }];
}
