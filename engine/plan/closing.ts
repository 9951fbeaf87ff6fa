/**
 * Which rows of a plan can change no more, by the watermarks of the streams that it reads. A column closes when the
 * watermark has passed its value: from then on no row with that value comes, changes or goes.
 */

import type { Catalog } from '../../sql/catalog.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { streamOfLate } from '../../sql/late-relation.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { frameReach } from './frame-reach.ts';
import type { PhysicalNode } from './physical-node.ts';
import {
  leastDistance,
  shiftOf,
  type TimeBound,
  type TimeGrid,
  timeBounds,
  truncatedTime,
} from './time-bounds.ts';

/**
 * Rows with the value v of a column are final when v + micros <= the watermark of every one of the streams. In other words:
 * every row that is still to come, or to change, has a value of more than that watermark - micros.
 */
export interface Closing {
  readonly streams: readonly string[];
  readonly micros: bigint;
  /** Columns with equal marks close in the same moment in every row; undefined = like no other. */
  readonly mark?: string | undefined;
  /** The values are an offset and a multiple of a step. */
  readonly grid?: TimeGrid | undefined;
}

export type Closings = readonly (Closing | undefined)[];

/** From the watermark `micros` after a row's value in `column` on, no row of the other side that is to come can meet it. */
export interface Parting {
  readonly column: number;
  readonly streams: readonly string[];
  readonly micros: bigint;
  /** Rows without a time meet no row at all. */
  readonly endsNulls?: boolean | undefined;
}

type Join = PhysicalNode & { readonly kind: 'join' };
type Scan = PhysicalNode & { readonly kind: 'scan' };
type Gate = PhysicalNode & { readonly kind: 'temporal-filter' };
type PlanOf = (query: LogicalNode) => PhysicalNode;

/** A watermark of W promises times from W on, so that what lies before it is over. */
const STRICTLY_BEFORE = 1n;

/** Closings of the nodes of one plan. */
export class ClosingFinder {
  readonly #catalog: Catalog;
  readonly #planOf: PlanOf;
  readonly #known = new Map<PhysicalNode, Closings>();
  readonly #views = new Map<string, Closings>();

  readonly #isOnTime: boolean;

  /**
   * @param planOf    operators of a view's query, which say when the view's rows close.
   * @param isOnTime  late rows do not count.
   */
  constructor(catalog: Catalog, planOf: PlanOf, isOnTime = false) {
    this.#catalog = catalog;
    this.#planOf = planOf;
    this.#isOnTime = isOnTime;
  }

  /** When rows would close if no late row ever came: the end of their windows, without the grace. */
  onTime(): ClosingFinder {
    return new ClosingFinder(this.#catalog, this.#planOf, true);
  }

  of(node: PhysicalNode): Closings {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const closings = this.#find(node);
    this.#known.set(node, closings);
    return closings;
  }

  /** When rows of one side of a join can meet no new row of the other, by each column that says so. */
  partings(node: Join, side: 0 | 1): readonly Parting[] {
    const [left, right] = node.inputs;
    if (left === undefined || right === undefined) return [];
    const width = left.schema.length;
    const other = this.of(side === 0 ? right : left);
    return boundsOf(node, width).flatMap(({ earlier, later, micros, meetsNull }): Parting[] => {
      // The other's rows that are to come lie behind its watermark, so a bound on how late they may be decides.
      if (earlier < width === (side === 0)) return [];
      const closing = other[earlier - (side === 0 ? width : 0)];
      if (closing === undefined || later < width !== (side === 0)) return [];
      const column = later - (side === 0 ? 0 : width);
      return [
        {
          column,
          streams: closing.streams,
          micros: closing.micros - micros,
          endsNulls: meetsNull !== true,
        },
      ];
    });
  }

  #find(node: PhysicalNode): Closings {
    const inputs = node.inputs.map((input) => this.of(input));
    const first = inputs[0] ?? [];
    switch (node.kind) {
      case 'scan':
        return this.#scanned(node);
      case 'temporal-filter':
        return gated(node, first);
      case 'project': {
        const kept = filtered(first, node.where);
        return node.expressions.map((expression) => computed(expression, kept));
      }
      case 'consolidate':
        return first;
      case 'flat-map':
        return node.schema.map((_, column) => first[node.kept[column] ?? -1]);
      case 'window-table':
        return [...first, ...windowClosings(node, first[node.timeColumn])];
      case 'session':
        // What else is in a row closes with its session: until then it may be given other bounds. A row at a session's end
        // still belongs to it, so that the end closes as the time does.
        return node.schema.map((_, column) =>
          column === node.schema.length - 1 ? first[node.timeColumn] : undefined,
        );
      case 'aggregate':
        return node.schema.map((_, column) => first[node.keys[column] ?? -1]);
      case 'union-all':
      case 'set-operation':
        return node.schema.map((_, column) =>
          common(this.#inTime(node.inputs).map((input) => this.of(input)[column])),
        );
      case 'join':
        return this.#joined(node);
      case 'lookup-join':
        return node.output.map((column) => first[column]);
      case 'window':
      case 'top-n': {
        const ahead = node.kind === 'window' ? frameReach(node)?.ahead : undefined;
        const time = ahead === undefined ? undefined : node.orderBy[0]?.column;
        // A row of another partition never pushes one out of this; of the same partition it does until that is closed.
        const marks = node.partitionBy.map((column) => first[column]?.mark ?? '');
        return node.schema.map((_, column) => {
          const closing = first[column];
          const closes = node.partitionBy.includes(column) || marks.includes(closing?.mark ?? '-');
          if (closes) return closing;
          // A later row changes those whose frames look ahead as far as to it.
          if (column !== time || closing === undefined) return undefined;
          return { streams: closing.streams, micros: closing.micros + (ahead ?? 0n) };
        });
      }
      default:
        return node.schema.map(() => undefined);
    }
  }

  #inTime(inputs: readonly PhysicalNode[]): readonly PhysicalNode[] {
    const inTime = this.#isOnTime ? inputs.filter((input) => !this.#isLate(input)) : inputs;
    return inTime.length === 0 ? inputs : inTime;
  }

  #isLate(node: PhysicalNode): boolean {
    if (node.kind === 'scan') return streamOfLate(node.relation, this.#catalog) !== undefined;
    return node.inputs.length > 0 && node.inputs.every((input) => this.#isLate(input));
  }

  /** A view's rows change in the flush in which its inputs do, before its readers are flushed: so they close together. */
  #scanned({ relation: name, columns }: Scan): Closings {
    const relation = this.#catalog.relation(name);
    if (relation?.kind === 'stream') {
      const time = relation.watermark?.column;
      return columns.map((column) =>
        column === time ? { streams: [name], micros: STRICTLY_BEFORE } : undefined,
      );
    }
    if (relation?.kind === 'table') {
      // The watermark that a late row missed is none of those before.
      const late = streamOfLate(name, this.#catalog);
      const mark = relation.schema.length - 1;
      return columns.map((column) =>
        late !== undefined && column === mark
          ? { streams: [late.name], micros: STRICTLY_BEFORE }
          : undefined,
      );
    }
    if (relation?.kind !== 'materialized-view') return columns.map(() => undefined);
    const known = this.#views.get(name) ?? this.of(this.#planOf(relation.query));
    this.#views.set(name, known);
    return columns.map((column) => known[column]);
  }

  /** A pair of rows is over when both of them are: so where a condition holds their times together. */
  #joined(node: Join): Closings {
    const [left, right] = node.inputs;
    if (left === undefined || right === undefined) return [];
    const { type } = node;
    const own: (Closing | undefined)[] = [];
    if (type !== 'right' && type !== 'full') {
      this.ofSide(node, 0).forEach((closing, column) => {
        own[column] = closing;
      });
    }
    if (type === 'inner' || type === 'right') {
      this.ofSide(node, 1).forEach((closing, column) => {
        own[left.schema.length + column] = closing;
      });
    }
    return node.output.map((column) => own[column]);
  }

  /** When the rows of one side, alone and in pairs, are over. */
  ofSide(node: Join, side: 0 | 1): Closings {
    const input = node.inputs[side];
    const closings = input === undefined ? [] : this.of(input);
    const partings = this.partings(node, side);
    const closed = closings.map((closing, column) => {
      const found = partings.filter((parting) => parting.column === column);
      return closing && earliestOf(found.map((parting) => both(closing, parting)));
    });
    return closings.map((closing, column) => {
      if (closed[column] !== undefined || closing?.mark === undefined) return closed[column];
      // As long after the watermark as the column that closes in the same moment.
      const like = closings.findIndex((other, i) => other?.mark === closing.mark && closed[i]);
      const known = closed[like];
      const later = (known?.micros ?? 0n) - (closings[like]?.micros ?? 0n);
      return known && { ...known, micros: closing.micros + later };
    });
  }
}

/**
 * Behind a gate of watermarks come only rows whose time they have just reached. Other columns of rows that wait there may have
 * closed long before, except those that close with the gate's.
 */
function gated(node: Gate, input: Closings): Closings {
  const { from, fromMicros, until } = node;
  const streams = node.inputs.slice(1).map((clock) => clock.kind === 'clock' && clock.relation);
  const known = streams.filter((stream) => typeof stream === 'string');
  if (from === undefined || until !== undefined || known.length < streams.length) {
    return input.map(() => undefined);
  }
  const mark = input[from]?.mark;
  return input.map((closing, column) => {
    if (column === from) return { streams: known, micros: fromMicros, mark, grid: closing?.grid };
    return mark !== undefined && closing?.mark === mark ? closing : undefined;
  });
}

/** Both at once: final when the slower one is. */
export function both(one: Closing, other: Closing | Parting): Closing {
  const streams = [...new Set([...one.streams, ...other.streams])].sort();
  const isFirst = one.micros >= other.micros;
  return { streams, micros: (isFirst ? one : other).micros };
}

/** The one that asks least of the watermark: a window's end before its start. */
export function earliestOf<T extends { readonly micros: bigint }>(
  found: readonly (T | undefined)[],
): T | undefined {
  let best: T | undefined;
  for (const one of found) {
    if (one !== undefined && (best === undefined || one.micros < best.micros)) best = one;
  }
  return best;
}

/** What keys and the rest of the condition say, over left then right columns. */
function boundsOf(node: Join, width: number): readonly TimeBound[] {
  const keys = node.leftKeys.flatMap((left, i): TimeBound[] => {
    const right = width + (node.rightKeys[i] as number);
    return [
      { earlier: left, later: right, micros: 0n, meetsNull: node.nullSafe[i] },
      { earlier: right, later: left, micros: 0n, meetsNull: node.nullSafe[i] },
    ];
  });
  return [...keys, ...timeBounds(node.residual)];
}

/** A condition under which one time is not before another one, which closes, closes it as well. */
function filtered(input: Closings, where: BoundExpr | undefined): Closings {
  const bounds = timeBounds(where).filter(({ earlier }) => input[earlier] !== undefined);
  if (bounds.length === 0) return input;
  return input.map((closing, column) => {
    const found = bounds.flatMap(({ earlier, later, micros }): Closing[] => {
      const base = input[earlier];
      if (later !== column || base === undefined) return [];
      return [{ streams: base.streams, micros: base.micros - micros }];
    });
    return closing ?? earliestOf(found);
  });
}

/** Of a column, a time and a fixed length, and what date_trunc or date_bin make of a time. */
function computed(expression: BoundExpr, input: Closings): Closing | undefined {
  if (expression.kind === 'column') return input[expression.index];
  const shift = shiftOf(expression);
  if (shift !== undefined) {
    const closing = computed(shift.time, input);
    const least = shift.micros - shift.slack;
    if (closing === undefined) return undefined;
    const { streams, micros, grid } = closing;
    const moved = grid && { ...grid, offsetMicros: grid.offsetMicros + shift.micros };
    return { streams, micros: micros - least, grid: shift.slack === 0n ? moved : undefined };
  }
  const truncated = truncatedTime(expression);
  const closing = truncated && computed(truncated.time, input);
  if (truncated === undefined || closing === undefined) return undefined;
  const { span, grid } = truncated;
  // The last time that is cut to a value.
  const last = span - leastDistance(grid, closing.grid);
  return { streams: closing.streams, micros: closing.micros + last, grid };
}

function windowClosings(
  { window, fingerprint }: PhysicalNode & { readonly kind: 'window-table' },
  time: Closing | undefined,
): readonly [start: Closing | undefined, end: Closing | undefined] {
  if (time === undefined) return [undefined, undefined];
  const { streams, micros, grid } = time;
  // Windows that end at different times begin at one.
  const mark = window.kind === 'cumulate' ? undefined : fingerprint;
  const slide =
    window.kind === 'hop'
      ? window.slideMicros
      : window.kind === 'tumble'
        ? window.sizeMicros
        : undefined;
  const offset = window.kind === 'cumulate' ? 0n : window.offsetMicros;
  const isZoned = window.zone !== undefined;
  const steps =
    slide === undefined || isZoned ? undefined : { stepMicros: slide, offsetMicros: offset };
  // A window ends after the times in it, by its length at most.
  const least = leastDistance(steps, grid);
  const end = { streams, micros: micros - least, mark, grid: steps };
  // How long a window is after its start depends on the day, where clocks of a zone are set.
  return [isZoned ? undefined : { ...end, micros: end.micros + window.sizeMicros }, end];
}

/** What closes on every side, when it has on the last. */
function common(closings: readonly (Closing | undefined)[]): Closing | undefined {
  const [first, ...others] = closings;
  if (first === undefined || others.length === 0) return first;
  let slowest: Closing = first;
  for (const closing of others) {
    if (closing === undefined) return undefined;
    slowest = both(slowest, closing);
  }
  return slowest;
}
