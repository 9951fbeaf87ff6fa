/** Which states a list of aggregates needs, and how each aggregate's values come out of them. */
import type { Column, Schema, SqlType } from '../../sql/base/type.ts';
import type { Physical } from '../delta/column.ts';
import { physicalOf } from '../delta/column.ts';
import type { PhysicalAggregate, SortColumn } from '../plan/physical-node.ts';
import { GroupBools, GroupCount } from './group-count.ts';
import { GroupDistinct } from './group-distinct.ts';
import { GroupBest, GroupMultiset } from './group-extreme.ts';
import { GroupFold, GroupOrderedFold } from './group-fold.ts';
import { GroupSelection } from './group-selection.ts';
import type { GroupResult, GroupState } from './group-state.ts';
import { BigintSum, GroupSum, NumericAverage, NumericSum } from './group-sum.ts';
import type { ReportRowError } from './operator.ts';

export interface SelectedState {
  readonly selection: GroupSelection;
  readonly state: GroupState;
}

export interface GroupPlan {
  readonly selections: readonly GroupSelection[];
  readonly states: readonly SelectedState[];
  readonly results: readonly GroupResult[];
}

/**
 * @param rowCount  the operator's own count of rows per group, which answers count(*).
 * @param appendOnly  no row of the input is ever taken back.
 * @param drops       groups are cleared while they have rows.
 */
export function planGroups(
  aggregates: readonly PhysicalAggregate[],
  input: Schema,
  rowCount: GroupCount,
  appendOnly: boolean,
  report: ReportRowError,
  drops: boolean,
): GroupPlan {
  const planner = new GroupPlanner(input, rowCount, appendOnly, report, drops);
  const results = aggregates.map((aggregate) => planner.plan(aggregate));
  return { selections: planner.selections, states: planner.states, results };
}

class GroupPlanner {
  readonly states: SelectedState[] = [];
  readonly #input: Schema;
  readonly #rowCount: GroupCount;
  readonly #appendOnly: boolean;
  readonly #drops: boolean;
  readonly #report: ReportRowError;
  readonly #selections = new Map<string, GroupSelection>();
  /** States that several aggregates read, by what they hold. */
  readonly #shared = new Map<string, GroupState>();

  constructor(
    input: Schema,
    rowCount: GroupCount,
    appendOnly: boolean,
    report: ReportRowError,
    drops: boolean,
  ) {
    this.#drops = drops;
    this.#input = input;
    this.#rowCount = rowCount;
    this.#appendOnly = appendOnly;
    this.#report = report;
  }

  get selections(): GroupSelection[] {
    return [...this.#selections.values()];
  }

  plan(aggregate: PhysicalAggregate): GroupResult {
    const [first] = aggregate.args;
    const skipsNull =
      aggregate.fn.strict && first !== undefined && this.#input[first]?.nullable !== false;
    const notNull = skipsNull ? first : undefined;
    const { filter } = aggregate;
    if (
      aggregate.fn.incremental === 'count' &&
      !aggregate.distinct &&
      notNull === undefined &&
      filter === undefined
    ) {
      return this.#rowCount;
    }
    const selectionKey = `${notNull ?? ''} ${filter ?? ''}`;
    let selection = this.#selections.get(selectionKey);
    if (selection === undefined) {
      selection = new GroupSelection(notNull, filter);
      this.#selections.set(selectionKey, selection);
    }
    if (aggregate.distinct) return this.#planDistinct(aggregate, selection);
    const types = this.#input.map((column) => column.type);
    const share = <T extends GroupState>(holds: string, make: () => T): T => {
      const key = `${holds} ${aggregate.args.join(' ')} where ${selectionKey}`;
      const known = this.#shared.get(key);
      // The key begins with what the state holds, so that equal keys have states of one class.
      if (known !== undefined) return known as T;
      const state = make();
      this.#shared.set(key, state);
      this.states.push({ selection, state });
      return state;
    };
    return planOne(aggregate, types, this.#appendOnly, this.#report, share);
  }

  /** The inner aggregate reads the distinct values as columns 0, 1, … of a batch of changes. */
  #planDistinct(aggregate: PhysicalAggregate, selection: GroupSelection): GroupResult {
    const columns = [
      ...new Set([...aggregate.args, ...aggregate.orderBy.map((key) => key.column)]),
    ];
    const position = (column: number): number => columns.indexOf(column);
    const types = columns.map((column) => columnAt(this.#input, column).type);
    const args = aggregate.args.map(position);
    const inner: PhysicalAggregate = {
      ...aggregate,
      distinct: false,
      filter: undefined,
      args,
      orderBy:
        aggregate.fn.ordered === true && aggregate.orderBy.length === 0
          ? args.map(ascending)
          : aggregate.orderBy.map((key) => ({ ...key, column: position(key.column) })),
    };
    const physicals: Physical[] = types.map(physicalOf);
    const schema = columns.map((column) => columnAt(this.#input, column));
    const report: ReportRowError = (error, values, row, weight) =>
      this.#report(error, values, row, weight, schema);
    const result = planOne(inner, types, this.#appendOnly, report, (_, make) => {
      const state = make();
      const distinct = new GroupDistinct(columns, physicals, state, this.#drops);
      this.states.push({ selection, state: distinct });
      return state;
    });
    return result;
  }
}

/** PostgreSQL finds distinct values by sorting, so that ordered aggregates see them sorted. */
function ascending(column: number): SortColumn {
  return { column, descending: false, nullsFirst: false };
}

function columnAt(schema: Schema, column: number): Column {
  const found = schema[column];
  if (found === undefined) throw new Error(`assertion failed: no column ${column}`);
  return found;
}

type Share = <T extends GroupState>(holds: string, make: () => T) => T;

function planOne(
  aggregate: PhysicalAggregate,
  types: readonly SqlType[],
  appendOnly: boolean,
  report: ReportRowError,
  share: Share,
): GroupResult {
  const { fn, args, orderBy } = aggregate;
  const [first = 0] = args;
  const type = types[first];
  switch (fn.incremental) {
    case 'count':
      return share('count', () => new GroupCount());
    case 'sum-int':
    case 'sum-numeric': {
      const state = share('sum', () => new GroupSum(first));
      return fn.result.kind === 'bigint' ? new BigintSum(state) : new NumericSum(state);
    }
    case 'avg-int':
    case 'avg-numeric':
      return new NumericAverage(share('sum', () => new GroupSum(first)));
    case 'min':
    case 'max': {
      if (type === undefined) break;
      const wantsMax = fn.incremental === 'max';
      if (appendOnly) return share(fn.incremental, () => new GroupBest(first, type, wantsMax));
      const values = share('values', () => new GroupMultiset(first, type));
      return { results: (groups, count) => values.results(wantsMax, groups, count) };
    }
    case 'bool-and':
    case 'bool-or': {
      const every = fn.incremental === 'bool-and';
      const state = share('bools', () => new GroupBools(first));
      return { results: (groups, count) => state.results(every, groups, count) };
    }
    default:
      break;
  }
  if (orderBy.length === 0) {
    const make = (appendOnly ? fn.growing : undefined) ?? fn.accumulator;
    return share(`fold ${fn.name}`, () => new GroupFold(fn, make, args, report));
  }
  const columns = [...args, ...orderBy.map((key) => key.column)];
  const columnTypes = columns.map((column) => types[column] as SqlType);
  const order = orderBy.map((key) => `${key.column} ${key.descending} ${key.nullsFirst}`).join();
  return share(
    `fold ${fn.name} ${order}`,
    () => new GroupOrderedFold(fn, args, orderBy, columnTypes),
  );
}
