/**
 * Flink's `l JOIN t FOR SYSTEM_TIME AS OF time ON …`: rows of l with the rows of t as they were at a time. PROCTIME() is the moment at
 * which a row of l arrives; any other time asks for the latest version of t up to then, by t's own time column.
 */
import type { Expression, FromItem, Identifier } from './ast.ts';
import { StreamError } from './base/error.ts';
import type { BindFromItem, BoundFrom, FromPlace } from './bind-from-place.ts';
import { requireRelation } from './bind-relation.ts';
import { declaredTime, unknownTime } from './bind-stream-window.ts';
import type { Relation } from './catalog.ts';
import { isAppendOnly } from './derive.ts';
import type { LogicalNode } from './logical-plan.ts';

type JoinItem = FromItem & { readonly kind: 'join' };
type RelationItem = FromItem & { readonly kind: 'relation' };

/** Names of the present, which is when a row arrives. */
const PRESENT: ReadonlySet<string> = new Set(['proctime', 'now', 'current_timestamp']);

/** What a join with FOR SYSTEM_TIME is bound as. */
export interface SystemTimeJoin {
  readonly item: JoinItem;
  /** The right side is looked up once for every row of the left, when that comes. */
  readonly atArrival: true | undefined;
}

/** The join without the clause, which it means otherwise. @throws StreamError SQL_NOT_SUPPORTED, naming what is missing. */
export function withoutSystemTime(
  item: JoinItem,
  place: FromPlace,
  bindItem: BindFromItem,
): SystemTimeJoin {
  const { right } = item;
  if (right.kind !== 'relation' || right.systemTime === undefined) {
    return { item, atArrival: undefined };
  }
  const { systemTime, name } = right;
  if (item.type !== 'inner' && item.type !== 'left') {
    throw new StreamError('SQL_NOT_SUPPORTED', `FOR SYSTEM_TIME AS OF in a ${item.type} join`, {
      at: systemTime.span,
      hint: 'Only rows of the left side have a time: use JOIN or LEFT JOIN.',
    });
  }
  const plain: RelationItem = { ...right, systemTime: undefined };
  const relation = requireRelation(name, place.context);
  if (isPresent(systemTime)) {
    refuseGrowing(relation, right);
    return { item: { ...item, right: plain }, atArrival: true };
  }
  const versions = bindItem(plain, place);
  const time = versionTime(relation, versions, right, place);
  const versioned = { ...item, right: plain, on: upTo(item, systemTime, plain, time) };
  const type = item.type === 'left' ? 'asof-left' : 'asof';
  return { item: { ...versioned, type }, atArrival: undefined };
}

/** Whether a join without the clause is one at arrival, because only such a one can feed a stream. */
export function looksUp(
  left: LogicalNode,
  { right, type, within }: JoinItem,
  { context, parent }: FromPlace,
): true | undefined {
  if (context.looksUp !== true || parent !== undefined || within !== undefined) return undefined;
  if (right.kind !== 'relation' || (type !== 'inner' && type !== 'left')) return undefined;
  const { kind } = requireRelation(right.name, context);
  const isCurrent = kind === 'table' || kind === 'materialized-view';
  return isCurrent && isAppendOnly(left, context.catalog) ? true : undefined;
}

/** @throws StreamError SQL_NOT_INCREMENTAL and SQL_NOT_SUPPORTED, for rows that would change after they have been looked up for. */
export function checkArrival(left: LogicalNode, written: JoinItem, place: FromPlace): void {
  const { purpose, catalog } = place.context;
  if (place.parent !== undefined && purpose !== 'pull') {
    throw new StreamError('SQL_NOT_SUPPORTED', 'a look-up at arrival inside of another query', {
      at: written.right.span,
      hint: 'Keep the joined rows in a view of its own.',
    });
  }
  if (purpose === 'pull' || isAppendOnly(left, catalog)) return;
  throw new StreamError(
    'SQL_NOT_INCREMENTAL',
    'rows of the left side change, so that a look-up at their arrival could not be taken back',
    {
      at: written.right.span,
      hint: 'Join the table itself: the result follows its current rows.',
    },
  );
}

function isPresent(time: Expression): boolean {
  if (time.kind === 'call') return PRESENT.has(time.name.parts.at(-1)?.name ?? '');
  return time.kind === 'column' && PRESENT.has(time.name.parts.at(-1)?.name ?? '');
}

function refuseGrowing(relation: Relation, { span }: RelationItem): void {
  if (relation.kind === 'table' || relation.kind === 'materialized-view') return;
  throw new StreamError(
    'SQL_NOT_SUPPORTED',
    `a look-up at arrival needs a table or a materialized view, and "${relation.name}" is a ${relation.kind}`,
    { at: span, hint: `CREATE TABLE … AS SELECT the current rows of "${relation.name}" first.` },
  );
}

/** The column that says from when on a version holds. */
function versionTime(
  relation: Relation,
  versions: BoundFrom,
  { systemTime, span }: RelationItem,
  place: FromPlace,
): Identifier {
  const at = systemTime?.span ?? span;
  const column = declaredTime(versions, at, place);
  if (column === undefined) throw unknownTime(at);
  const key = keyOf(relation);
  if (key.length > 0 && !key.includes(column)) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      `"${relation.name}" keeps the current row of each key, so that its earlier versions are not known`,
      {
        at: systemTime?.span,
        hint: 'Read the stream of its changes, each with its time; or FOR SYSTEM_TIME AS OF PROCTIME(), the row as it is when the other one arrives.',
      },
    );
  }
  const name = versions.node.schema[column]?.name ?? '';
  return { name, quoted: true, span };
}

function keyOf(relation: Relation): readonly number[] {
  if (relation.kind === 'table') return relation.primaryKey;
  return relation.kind === 'materialized-view' ? relation.key : [];
}

/** ON … AND time >= right.time. */
function upTo(
  { on, span }: JoinItem,
  time: Expression,
  right: RelationItem,
  column: Identifier,
): Expression {
  const table = right.alias?.name ?? right.name.parts.at(-1);
  if (on === undefined || table === undefined) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'FOR SYSTEM_TIME AS OF needs a join with ON', {
      at: span,
    });
  }
  const name = { parts: [table, column], span: right.span };
  const own: Expression = { kind: 'column', name, span: right.span };
  const bound: Expression = { kind: 'binary', op: '>=', left: time, right: own, span: time.span };
  return { kind: 'and', left: on, right: bound, span };
}
