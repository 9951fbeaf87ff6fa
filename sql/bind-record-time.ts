/** ksqlDB's `WITH (timestamp = 'column')`: the time of a stream's records is in a column. */
import { type Span, StreamError } from './base/error.ts';
import { typeName } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { bindScalar } from './bind-scalar.ts';
import { columnOf } from './bind-scope.ts';
import type { SourceRelation } from './catalog.ts';
import type { LogicalNode } from './logical-plan.ts';
import { RECORD_TIME_AT, ROWTIME_AT, recordStart } from './record-column.ts';

/** The column that the option names; undefined without the option, or when the stream has no such column. */
export function timestampOption({ input, schema }: SourceRelation): number | undefined {
  const named = input?.options.get('timestamp')?.toLowerCase();
  const index = schema.findIndex(({ name }) => name.toLowerCase() === named);
  return index < 0 ? undefined : index;
}

/**
 * The scan of a stream with the named column's time for its ROWTIME, and for what windows read. A bigint counts milliseconds since
 * 1970. The plan itself where no column is named, or one that holds no time: `checkTimestampOption` refuses that where it is used.
 */
export function withRecordTime(
  node: LogicalNode,
  relation: SourceRelation,
  at: Span,
  context: BindContext,
): LogicalNode {
  const start = recordStart(node);
  const index = timestampOption(relation);
  const kind = index === undefined ? undefined : relation.schema[index]?.type.kind;
  if (start === undefined || index === undefined || kind === undefined) return node;
  if (kind !== 'bigint' && kind !== 'timestamptz' && kind !== 'timestamp') return node;
  const expressions =
    node.kind === 'project'
      ? [...node.expressions]
      : node.schema.map(({ type }, column) => columnOf(column, type));
  const input = node.kind === 'project' ? node.input : node;
  const named = expressions[index] ?? columnOf(index, { kind });
  const time = kind === 'bigint' ? bindScalar('from_unixtime', [named], at, context) : named;
  expressions[start + RECORD_TIME_AT] = time;
  expressions[start + ROWTIME_AT] =
    kind === 'bigint' ? named : bindScalar('unix_timestamp', [time], at, context);
  const schema = node.schema.map((column, place) =>
    place === start + ROWTIME_AT || place === start + RECORD_TIME_AT
      ? { ...column, type: expressions[place]?.type ?? column.type, nullable: true }
      : column,
  );
  return { kind: 'project', input, expressions, schema, recordFrom: start };
}

/** @throws StreamError SQL_NOT_SUPPORTED for a text, whose `timestamp_format` nobody reads. */
export function checkTimestampOption(relation: SourceRelation, at: Span): void {
  const column = relation.schema[timestampOption(relation) ?? -1];
  if (column === undefined) return;
  const { kind } = column.type;
  if (kind === 'bigint' || kind === 'timestamptz' || kind === 'timestamp') return;
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    `timestamp = '${column.name}' names a column of type ${typeName(column.type)}, which is no time`,
    {
      at,
      hint: "Read it as a timestamp, or compute one: at timestamp GENERATED ALWAYS AS (…) STORED, and timestamp = 'at'.",
    },
  );
}
