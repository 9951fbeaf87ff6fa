/**
 * A SELECT answered once by the operators that keep views: over streams, whose retained log is run through them up to the
 * end that it has when the statement begins, and over stored rows for queries that DuckDB has no plan for, as MATCH_RECOGNIZE.
 */
import type { Batch } from '../engine/delta/batch.ts';
import { BatchBuilder } from '../engine/delta/builder.ts';
import { compileScalar } from '../engine/kernel/scalar.ts';
import { lower } from '../engine/plan/lower.ts';
import { buildFragment } from '../engine/runtime/fragment.ts';
import { type GraphNode, selectColumns } from '../engine/runtime/graph.ts';
import { DecidedLateness } from '../engine/runtime/lateness.ts';
import { clockBatch, type PlanLeaf } from '../engine/runtime/plan-task.ts';
import { RecordPlaces } from '../engine/runtime/record-place.ts';
import { ScanCursor } from '../engine/runtime/scan-cursor.ts';
import { Bell } from '../engine/runtime/signal.ts';
import type { StoreSnapshot } from '../engine/store/store.ts';
import { assert } from '../sql/base/assert.ts';
import type { Row } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Column } from '../sql/base/type.ts';
import { compareNullable } from '../sql/base/value.ts';
import { columnOf } from '../sql/bind-scope.ts';
import type { Relation } from '../sql/catalog.ts';
import type { BoundExpr, BoundSortKey } from '../sql/expression.ts';
import { holdsSubquery } from '../sql/expression-fact.ts';
import { operandsOf } from '../sql/expression-map.ts';
import { inputsOf, visitExpressions } from '../sql/logical-map.ts';
import type { LogicalNode } from '../sql/logical-plan.ts';
import { optimize } from '../sql/rewrite/all.ts';
import type { Core } from './core.ts';
import { streamDefinition } from './definitions.ts';
import { storedRelation } from './lifecycle/view.ts';
import type { Overlay, Reading } from './reading.ts';
import { scannedRelations } from './scanned-relations.ts';

/** Rows that a query over the log may hold in memory; beyond them a materialized view is the tool. */
const ROWS_MAX = 1_000_000;
const STEP_BYTES = 1024 * 1024;
const READ_WAIT_MS = 1_000;
const CHUNK_ROWS = 2_048;

/** Streams hold no rows of their own, and MATCH_RECOGNIZE is no SQL of the store's, so that it cannot answer for them. */
export function needsOperators(core: Core, plan: LogicalNode): boolean {
  return (
    scannedRelations(plan).some((name) => core.catalog.relation(name)?.kind === 'stream') ||
    holdsMatch(plan)
  );
}

function holdsMatch(plan: LogicalNode): boolean {
  if (plan.kind === 'match-recognize') return true;
  let found = inputsOf(plan).some(holdsMatch);
  const visit = (expression: BoundExpr): void => {
    if (expression.kind === 'subquery') found ||= holdsMatch(expression.plan);
    operandsOf(expression).forEach(visit);
  };
  if (!found) visitExpressions(plan, visit);
  return found;
}

/** ORDER BY, LIMIT and the projections above them, which belong to the answer and not to the relation. */
interface Peeled {
  readonly inner: LogicalNode;
  readonly keys: readonly BoundSortKey[];
  readonly limit: number;
  readonly offset: number;
  readonly project: readonly BoundExpr[] | undefined;
}

function peel(plan: LogicalNode): Peeled {
  let node = plan;
  let project: readonly BoundExpr[] | undefined;
  if (node.kind === 'project' && (node.input.kind === 'sort' || node.input.kind === 'limit')) {
    project = node.expressions;
    node = node.input;
  }
  let limit = Number.POSITIVE_INFINITY;
  let offset = 0;
  if (node.kind === 'limit' && !node.withTies && !counts(node).some(holdsSubquery)) {
    limit = countOf(node.limit, Number.POSITIVE_INFINITY);
    offset = countOf(node.offset, 0);
    node = node.input;
  }
  if (project === undefined && node.kind === 'project' && node.input.kind === 'sort') {
    project = node.expressions;
    node = node.input;
  }
  let keys: readonly BoundSortKey[] = [];
  if (node.kind === 'sort') {
    keys = node.keys;
    node = node.input;
  }
  return withoutSubqueries({ inner: node, keys, limit, offset, project });
}

/** Subqueries in what was peeled off become columns of the inner plan, behind which the answer's own are found again. */
function withoutSubqueries(peeled: Peeled): Peeled {
  const { inner, keys, project } = peeled;
  const shown = project ?? inner.schema.map(({ type }, index) => columnOf(index, type));
  const expressions = [...shown, ...keys.map(({ expression }) => expression)];
  if (!expressions.some(holdsSubquery)) return peeled;
  const schema = expressions.map(({ type }, index) => ({
    name: `c${index}`,
    type,
    nullable: true,
  }));
  const column = (index: number): BoundExpr => columnOf(index, (schema[index] as Column).type);
  return {
    ...peeled,
    inner: { kind: 'project', input: inner, expressions, schema },
    keys: keys.map((key, i) => ({ ...key, expression: column(shown.length + i) })),
    project: shown.map((_, index) => column(index)),
  };
}

const counts = ({ limit, offset }: LogicalNode & { readonly kind: 'limit' }): BoundExpr[] =>
  [limit, offset].filter((count) => count !== undefined);

function countOf(expression: BoundExpr | undefined, otherwise: number): number {
  if (expression === undefined) return otherwise;
  const value = compileScalar(expression)([]);
  return value === null ? otherwise : Number(value);
}

/** @throws StreamError SQL_NOT_INCREMENTAL for what the operators cannot compute, REQUEST_TOO_LARGE past ROWS_MAX. */
export async function queryByOperators(
  core: Core,
  plan: LogicalNode,
  signal: AbortSignal,
  transaction?: Reading,
): Promise<AsyncIterable<readonly Row[]>> {
  const { inner, keys, limit, offset, project } = peel(plan);
  const physical = lower(optimize(inner, core.catalog), core.catalog);
  const rows: Row[] = [];
  const removed: { row: Row; weight: number }[] = [];
  const names = new Map<number, string>();
  let failure: StreamError | undefined;
  const fragment = buildFragment(physical.root, (name) => {
    const id = core.catalog.relation(name)?.id ?? 0;
    names.set(id, name);
    return id;
  });
  for (const node of fragment.nodes) {
    node.addFailureTap(({ error }) => {
      failure ??= error;
    });
  }
  const isPlain = physical.root.appendOnly;
  fragment.root.addTap({
    take: (batch: Batch) => {
      for (let i = 0; i < batch.length; i++) {
        const weight = batch.weight(i);
        if (isPlain) for (let n = 0; n < weight; n++) rows.push(batch.row(i));
        else removed.push({ row: batch.row(i), weight });
      }
    },
  });
  const mayStop = isPlain && fragment.stateless && keys.length === 0 && Number.isFinite(limit);
  const enough = (): boolean => mayStop && rows.length >= offset + limit;
  const clocks = fragment.leaves.filter(({ isClock }) => isClock);
  const leaves = fragment.leaves.flatMap((leaf) => {
    if (leaf.isClock) return [];
    const relation = core.catalog.relation(names.get(leaf.relationId) ?? '');
    return relation === undefined ? [] : [{ ...leaf, relation }];
  });
  const read = leaves.map(({ relation }) => relation);
  await transaction?.reads(read);
  const feed = async ({ relation, columns, target, port }: Leaf, from: Feeder): Promise<void> => {
    const take = (batch: Batch): void => pushTo(target, port, batch);
    for await (const _ of from(relation, columns, take)) {
      if (failure !== undefined) throw failure;
      if (rows.length + removed.length > ROWS_MAX) {
        throw new StreamError('REQUEST_TOO_LARGE', `the query gives more than ${ROWS_MAX} rows`, {
          hint: 'Add a LIMIT, or keep the result in a materialized view.',
        });
      }
      if (enough()) break;
    }
    const draft = transaction?.overlay(relation);
    if (draft !== undefined) take(selectColumns(draftBatch(relation, draft), columns));
  };
  const stored = leaves.filter(({ relation }) => relation.kind !== 'stream');
  if (stored.length > 0) {
    // Closed before the streams are read, which may have to wait, and take connections of their own.
    const snapshot = await core.store.snapshot(signal);
    try {
      for (const leaf of stored) await feed(leaf, storedRows(core, snapshot));
    } finally {
      await snapshot.close();
    }
    await transaction?.hasRead(stored.map(({ relation }) => relation));
  }
  for (const leaf of leaves) {
    if (leaf.relation.kind === 'stream') await feed(leaf, retainedRows(core, mayStop, signal));
  }
  for (const clock of clocks) endTime(clock);
  for (const node of fragment.nodes) {
    node.operator?.flush(node.emit);
    failure ??= node.operator?.failure;
  }
  if (failure !== undefined) throw failure;
  if (!isPlain) rows.push(...netRows(removed));
  if (keys.length > 0) sortRows(rows, keys);
  const answer = rows.slice(
    offset,
    limit === Number.POSITIVE_INFINITY ? undefined : offset + limit,
  );
  return chunks(project === undefined ? answer : projectRows(answer, project));
}

function draftBatch({ schema }: Relation, draft: Overlay): Batch {
  const batch = new BatchBuilder(schema);
  for (const { row, weight } of draft.changes()) batch.add(row, weight);
  return batch.take();
}

function pushTo(target: GraphNode, port: number, batch: Batch): void {
  if (target.operator === undefined) target.emit(batch);
  else target.operator.push(port, batch, target.emit);
}

/** No row is to come behind the records that are there: patterns that wait for the watermark end with them. */
function endTime({ target, port }: PlanLeaf): void {
  pushTo(target, port, clockBatch(END_OF_TIME));
}

/** The last microsecond of the year 9999. */
const END_OF_TIME = 253_402_300_799_999_999n;

interface Leaf extends PlanLeaf {
  readonly relation: Relation;
}

/** Feeds the given columns of one relation; yields after every piece, so that the caller can stop. */
type Feeder = (
  relation: Relation,
  columns: readonly number[],
  take: (batch: Batch) => void,
) => AsyncGenerator<void>;

const storedRows = (core: Core, snapshot: StoreSnapshot): Feeder =>
  async function* (relation, columns, take) {
    const stored = storedRelation(core, relation);
    if (stored === undefined) return;
    for await (const batch of snapshot.scan(stored)) {
      take(selectColumns(batch, columns));
      yield;
    }
  };

/** @param mayStop  the caller may have enough before the end. */
const retainedRows =
  (core: Core, mayStop: boolean, signal: AbortSignal): Feeder =>
  (relation, columns, take) =>
    readStream(core, { relation, columns, mayStop }, take, signal);

interface StreamInput {
  readonly relation: Relation;
  readonly columns: readonly number[];
  readonly mayStop: boolean;
}

async function* readStream(
  core: Core,
  { relation, columns, mayStop }: StreamInput,
  take: (batch: Batch) => void,
  signal: AbortSignal,
): AsyncGenerator<void> {
  assert(relation.kind === 'stream', 'only a stream has a log');
  const definition = streamDefinition(core.connectors, relation, false);
  const bounds = await definition.bounds();
  const from = new Map([...bounds].map(([partition, { earliest }]) => [partition, earliest]));
  const ends = new Map([...bounds].map(([partition, { end }]) => [partition, end]));
  if (!mayStop && [...ends.values()].some((end) => !Number.isFinite(end))) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      `stream "${relation.name}" has no end to read up to`,
      {
        hint: 'Add a LIMIT (without ORDER BY), or keep the result in a materialized view.',
      },
    );
  }
  const reader = await definition.open({ offsets: from, otherwise: 'earliest' });
  const bell = new Bell();
  reader.onReadable(bell.ring);
  const stream = core.engine.stream(relation.id);
  const cursor = new ScanCursor({
    reader,
    from,
    topic: definition.topic,
    compile: definition.compile,
    report: () => {},
    isFatal: () => false,
    leftOut: stream?.leftOut ?? (() => new Set()),
    places: new RecordPlaces(),
    lateness: stream === undefined ? undefined : new DecidedLateness(stream.knownLate),
  });
  cursor.setReaders([{ columns, from: new Map(), startOf: () => 0, take }]);
  try {
    const isDone = (): boolean =>
      [...ends].every(([partition, end]) => (cursor.positions.get(partition) ?? 0) >= end);
    while (!isDone()) {
      if (signal.aborted) {
        throw new StreamError('STATEMENT_CANCELED', 'canceling statement due to user request');
      }
      if (cursor.step(STEP_BYTES, ends) === 0) await bell.wait(READ_WAIT_MS);
      else await new Promise((resolve) => setImmediate(resolve));
      yield;
    }
  } finally {
    await cursor.close();
  }
}

/** Rows that are there in the end, each as often as its weights sum to. */
function netRows(changes: readonly { readonly row: Row; readonly weight: number }[]): Row[] {
  const kept = new Map<string, { row: Row; weight: number }>();
  for (const { row, weight } of changes) {
    const identity = row
      .map((value) => (value === null ? 'n' : `v${identityText(value)}`))
      .join('\u0000');
    const known = kept.get(identity);
    if (known === undefined) kept.set(identity, { row, weight });
    else known.weight += weight;
  }
  const rows: Row[] = [];
  for (const { row, weight } of kept.values()) for (let n = 0; n < weight; n++) rows.push(row);
  return rows;
}

function identityText(value: unknown): string {
  return typeof value === 'object'
    ? JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part))
    : String(value);
}

function sortRows(rows: Row[], keys: readonly BoundSortKey[]): void {
  const terms = keys.map(({ expression, descending, nullsFirst }) => ({
    value: compileScalar(expression),
    type: expression.type,
    descending,
    nullsFirst,
  }));
  const keyed = rows.map((row) => ({ row, values: terms.map(({ value }) => value(row)) }));
  keyed.sort((a, b) => {
    for (let i = 0; i < terms.length; i++) {
      const term = terms[i];
      const left = a.values[i] ?? null;
      const right = b.values[i] ?? null;
      if (term === undefined || (left === null && right === null)) continue;
      if (left === null || right === null) return (left === null) === term.nullsFirst ? -1 : 1;
      const order = compareNullable(left, right, term.type);
      if (order !== 0) return term.descending ? -order : order;
    }
    return 0;
  });
  keyed.forEach(({ row }, i) => {
    rows[i] = row;
  });
}

function projectRows(rows: readonly Row[], expressions: readonly BoundExpr[]): Row[] {
  const compiled = expressions.map(compileScalar);
  return rows.map((row) => compiled.map((value) => value(row)));
}

async function* chunks(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  for (let at = 0; at < rows.length; at += CHUNK_ROWS) yield rows.slice(at, at + CHUNK_ROWS);
}
