/**
 * Which rows of a plan can change no more, by the watermarks of the streams that it reads. A column closes when the
 * watermark has passed its value: from then on no row with that value comes, changes or goes.
 */

import type { Catalog } from '../../sql/catalog.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import type { PhysicalNode } from './physical-node.ts';
import { shiftedTime, type TimeBound, timeBounds, truncatedTime } from './time-bounds.ts';

/**
 * Rows with the value v of a column are final when v + micros <= the watermark of every one of the streams. In other words:
 * every row that is still to come, or to change, has a value of more than that watermark - micros.
 */
export interface Closing {
  readonly streams: readonly string[];
  readonly micros: bigint;
  /** Columns with equal marks close in the same moment in every row; undefined = like no other. */
  readonly mark?: string | undefined;
  /** The values are starts of windows that follow one another: offset + a multiple of step. */
  readonly grid?: { readonly stepMicros: bigint; readonly offsetMicros: bigint } | undefined;
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

/** A watermark of W promises times from W on, so that what lies before it is over. */
const STRICTLY_BEFORE = 1n;

/** Closings of the nodes of one plan. */
export class ClosingFinder {
  readonly #catalog: Catalog;
  readonly #known = new Map<PhysicalNode, Closings>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
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
      case 'scan': {
        const relation = this.#catalog.relation(node.relation);
        const time = relation?.kind === 'stream' ? relation.watermark?.column : undefined;
        return node.columns.map((column) =>
          column === time ? { streams: [node.relation], micros: STRICTLY_BEFORE } : undefined,
        );
      }
      case 'project':
        return node.expressions.map((expression) => computed(expression, first));
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
        return node.schema.map((_, column) => common(inputs.map((one) => one[column])));
      case 'join':
        return this.#joined(node);
      case 'window':
      case 'top-n': {
        // A row of another partition never pushes one out of this; of the same partition it does until that is closed.
        const marks = node.partitionBy.map((column) => first[column]?.mark ?? '');
        return node.schema.map((_, column) => {
          const closing = first[column];
          const closes = node.partitionBy.includes(column) || marks.includes(closing?.mark ?? '-');
          return closes ? closing : undefined;
        });
      }
      default:
        return node.schema.map(() => undefined);
    }
  }

  /** A pair of rows is over when both of them are: so where a condition holds their times together. */
  #joined(node: Join): Closings {
    const [left, right] = node.inputs;
    if (left === undefined || right === undefined) return [];
    const { type } = node;
    const own: (Closing | undefined)[] = [];
    if (type !== 'right' && type !== 'full') {
      this.#closeSide(node, 0, this.of(left)).forEach((closing, column) => {
        own[column] = closing;
      });
    }
    if (type === 'inner' || type === 'right') {
      this.#closeSide(node, 1, this.of(right)).forEach((closing, column) => {
        own[left.schema.length + column] = closing;
      });
    }
    return node.output.map((column) => own[column]);
  }

  #closeSide(node: Join, side: 0 | 1, closings: Closings): Closings {
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

/** Of a column, a column and a fixed length, and what date_trunc or date_bin make of a column. */
function computed(expression: BoundExpr, input: Closings): Closing | undefined {
  if (expression.kind === 'column') return input[expression.index];
  const shifted = shiftedTime(expression);
  if (shifted !== undefined) {
    const closing = input[shifted.column];
    const micros = shifted.micros - shifted.slack;
    return closing && { streams: closing.streams, micros: closing.micros - micros };
  }
  const truncated = truncatedTime(expression);
  const closing = truncated && input[truncated.column];
  return closing && before(closing, truncated.span);
}

/** Of a value that is at most the closing one, and less than `span` before it. */
function before({ streams, micros }: Closing, span: bigint): Closing {
  return { streams, micros: micros + span - 1n };
}

function windowClosings(
  { window, fingerprint }: PhysicalNode & { readonly kind: 'window-table' },
  time: Closing | undefined,
): readonly [start: Closing | undefined, end: Closing | undefined] {
  if (time === undefined) return [undefined, undefined];
  const { streams, micros, grid } = time;
  // Windows that end at different times begin at one.
  const mark = window.kind === 'cumulate' ? undefined : fingerprint;
  const isOnGrid =
    window.kind === 'hop' &&
    grid?.stepMicros === window.slideMicros &&
    grid.offsetMicros === window.offsetMicros;
  // A window ends after the times in it, by its length at most; by a slide at least after a time at which one begins.
  const least = isOnGrid ? window.slideMicros : 1n;
  const own =
    window.kind === 'tumble'
      ? { stepMicros: window.sizeMicros, offsetMicros: window.offsetMicros }
      : undefined;
  return [
    { streams, micros: micros - least + window.sizeMicros, mark, grid: own },
    { streams, micros: micros - least, mark },
  ];
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
