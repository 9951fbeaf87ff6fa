import { assert } from '../base/assert.ts';
import type { Datum } from '../base/datum.ts';
import { textWriter } from '../base/text-output.ts';
import type { SqlType } from '../base/type.ts';
import { comparator } from '../base/value.ts';
import type { Accumulator } from './aggregate-function.ts';

interface Entry {
  readonly value: Datum;
  count: number;
}

/** Dead entries that the heap may hold before it is rebuilt, beside as many as there are live ones. */
const DEAD_SLACK = 64;

/** Kinds whose datums a Map tells apart as their texts are. */
const directKinds: ReadonlySet<SqlType['kind']> = new Set(['integer', 'bigint', 'text', 'enum']);

/**
 * min or max under deletes: every distinct value with its count, and a heap over them whose dead
 * entries are dropped when they reach the top. Values are told apart by their text, so that of the
 * equal 1.0 and 1.00 a retracted one is never shown.
 */
export function extremeAccumulator(type: SqlType, greatest: boolean): Accumulator {
  const compare = comparator(type);
  const write = textWriter(type);
  const direct = directKinds.has(type.kind);
  const keyOf = (value: Datum): Datum => (direct ? value : write(value));
  const entries = new Map<Datum, Entry>();
  let heap: Entry[] = [];

  const before = (a: Entry, b: Entry): boolean => {
    const order = compare(a.value, b.value);
    return greatest ? order > 0 : order < 0;
  };
  const swap = (a: number, b: number): void => {
    const entry = heap[a] as Entry;
    heap[a] = heap[b] as Entry;
    heap[b] = entry;
  };
  const sink = (start: number): void => {
    let at = start;
    for (;;) {
      let best = at;
      for (let child = 2 * at + 1; child <= 2 * at + 2 && child < heap.length; child++) {
        if (before(heap[child] as Entry, heap[best] as Entry)) best = child;
      }
      if (best === at) return;
      swap(at, best);
      at = best;
    }
  };
  const push = (entry: Entry): void => {
    heap.push(entry);
    let at = heap.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(heap[at] as Entry, heap[parent] as Entry)) return;
      swap(at, parent);
      at = parent;
    }
  };
  const rebuild = (): void => {
    heap = [...entries.values()];
    for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(at);
  };

  return {
    add: (args, weight) => {
      const value = args[0];
      assert(value !== null && value !== undefined, 'min and max never see NULL');
      const key = keyOf(value);
      const entry = entries.get(key);
      if (entry === undefined) {
        const created = { value, count: weight };
        entries.set(key, created);
        push(created);
        return;
      }
      entry.count += weight;
      if (entry.count === 0) {
        entries.delete(key);
        if (heap.length > 2 * entries.size + DEAD_SLACK) rebuild();
      }
    },
    result: () => {
      for (let top = heap[0]; top !== undefined; top = heap[0]) {
        if (top.count > 0) return top.value;
        const last = heap.pop();
        if (heap.length === 0 || last === undefined) break;
        heap[0] = last;
        sink(0);
      }
      return null;
    },
    /** Entries in the map's order, then dead ones; then the heap by their numbers, since its shape decides among equals. */
    save: () => {
      const all = [...new Set([...entries.values(), ...heap])];
      const numbers = new Map(all.map((entry, number) => [entry, number]));
      return [
        all.map(({ value, count }) => [value, count]),
        heap.map((entry) => numbers.get(entry) ?? 0),
      ];
    },
    load: (state) => {
      const [saved, shape] = state as readonly [readonly (readonly [Datum, number])[], number[]];
      const all = saved.map(([value, count]): Entry => ({ value, count }));
      for (const entry of all) if (entry.count !== 0) entries.set(keyOf(entry.value), entry);
      heap = shape.map((number) => all[number] as Entry);
    },
  };
}

/** min or max of what is never taken back: the one value. */
export function bestAccumulator(type: SqlType, greatest: boolean): Accumulator {
  const compare = comparator(type);
  let best: Datum | undefined;
  return {
    add: ([value], weight) => {
      assert(value !== null && value !== undefined, 'min and max never see NULL');
      assert(weight > 0, 'nothing is taken back');
      const order = best === undefined ? 0 : compare(value, best);
      if (best === undefined || (greatest ? order > 0 : order < 0)) best = value;
    },
    result: () => best ?? null,
    save: () => (best === undefined ? [[], []] : [[[best, 1]], [0]]),
    load: (state) => {
      const [saved, shape] = state as readonly [readonly (readonly [Datum, number])[], number[]];
      best = saved[shape[0] ?? 0]?.[0];
    },
  };
}

/**
 * min_by and max_by: the first argument of the row whose second one is least or greatest, of rows with equal ones the
 * least or greatest first argument, so that the answer does not depend on the order of rows. Rows whose second argument
 * is NULL do not count.
 */
export function extremeByAccumulator(
  value: SqlType,
  key: SqlType,
  greatest: boolean,
  extreme = extremeAccumulator,
): Accumulator {
  const fields = [key, value].map((type, index) => ({ name: `f${index}`, type, nullable: true }));
  const rows = extreme({ kind: 'row', fields }, greatest);
  return {
    add: ([first = null, second = null], weight) => {
      if (second !== null) rows.add([[second, first]], weight);
    },
    result: () => {
      const row = rows.result();
      return Array.isArray(row) ? (row[1] ?? null) : null;
    },
    save: rows.save,
    load: rows.load,
  };
}
