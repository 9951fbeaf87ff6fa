import { assertNever } from '../../sql/base/assert.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { Catalog } from '../../sql/catalog.ts';
import { matchKey } from '../../sql/derive.ts';
import type { Growth } from './growth.ts';
import type { PhysicalNode } from './physical-node.ts';

/** How a view's rows are stored; engine/store/store.ts has the same union as its contract. */
export type OutputStorage =
  | { readonly kind: 'append' }
  | { readonly kind: 'keyed'; readonly key: readonly number[] }
  | { readonly kind: 'bag' };

export interface PhysicalPlan {
  readonly root: PhysicalNode;
  /** Every node once, inputs before readers; the scans among them are the leaves to feed. */
  readonly nodes: readonly PhysicalNode[];
  readonly schema: Schema;
  readonly storage: OutputStorage;
  /** Columns of which no two rows have the same values; undefined = none is known; empty = at most one row. */
  readonly key: readonly number[] | undefined;
  /** No row is ever deleted or changed. */
  readonly appendOnly: boolean;
  /** Operators whose state has no bound. */
  readonly growth: Growth;
}

export function storageOf(root: PhysicalNode, catalog: Catalog): OutputStorage {
  if (root.appendOnly) return { kind: 'append' };
  const key = keyOf(root, catalog);
  // A key of no columns says that there is one row; there is nothing to look it up by.
  if (key === undefined || key.length === 0) return { kind: 'bag' };
  return { kind: 'keyed', key };
}

/** Columns that identify a row of the node's output, as far as the plan shows. */
export function keyOf(node: PhysicalNode, catalog: Catalog): readonly number[] | undefined {
  const [input] = node.inputs;
  switch (node.kind) {
    case 'scan':
      return scanKey(node, catalog);
    case 'clock':
      return undefined;
    case 'temporal-filter':
    case 'emit-every':
      return input && keyOf(input, catalog);
    case 'values':
      return node.rows.length <= 1 ? [] : undefined;
    case 'project': {
      const key = input === undefined ? undefined : keyOf(input, catalog);
      return key && placesOf(key, node.expressions.map(columnIndex));
    }
    case 'union-all':
    case 'lookup-join':
      return undefined;
    case 'consolidate':
      return input && keyOf(input, catalog);
    case 'set-operation':
      return node.all ? undefined : node.schema.map((_, column) => column);
    case 'aggregate':
      return node.keys.map((_, column) => column);
    case 'join':
      return joinKey(node, catalog);
    case 'flat-map': {
      const key = input === undefined ? undefined : keyOf(input, catalog);
      const kept = key && placesOf(key, node.kept);
      return kept && node.ordinality && !node.outer ? [...kept, node.schema.length - 1] : undefined;
    }
    case 'window-table': {
      const key = input === undefined ? undefined : keyOf(input, catalog);
      // A row of several windows is told apart by the window's start, of CUMULATE by its end.
      return key && [...key, node.schema.length - (node.window.kind === 'cumulate' ? 1 : 2)];
    }
    case 'session':
      return input && keyOf(input, catalog);
    case 'top-n': {
      if (node.rank === 'row_number' && !node.withTies) {
        if (node.limit <= 1) return node.partitionBy;
        if (node.emitRank) return [...node.partitionBy, node.schema.length - 1];
      }
      return input === undefined ? undefined : keyOf(input, catalog);
    }
    case 'window':
      return windowKey(node, input && keyOf(input, catalog));
    case 'match-recognize':
      return matchKey(node);
    case 'recursive':
      return node.all ? undefined : node.schema.map((_, column) => column);
    case 'recursive-reference':
      return undefined;
    case 'upsert':
      return node.key;
    default:
      return assertNever(node);
  }
}

/** The input's key; without one a row number is one within its partition. */
function windowKey(
  node: PhysicalNode & { readonly kind: 'window' },
  inputKey: readonly number[] | undefined,
): readonly number[] | undefined {
  if (inputKey !== undefined) return inputKey;
  const number = node.calls.findIndex(
    (call) => call.kind === 'ranking' && call.name === 'row_number',
  );
  if (number < 0) return undefined;
  return [...node.partitionBy, node.schema.length - node.calls.length + number];
}

function columnIndex(expression: { readonly kind: string }): number | undefined {
  return 'index' in expression &&
    expression.kind === 'column' &&
    typeof expression.index === 'number'
    ? expression.index
    : undefined;
}

/** Where the columns of a key are among the given ones; undefined when one is missing. */
function placesOf(
  key: readonly number[],
  columns: readonly (number | undefined)[],
): readonly number[] | undefined {
  const places = key.map((column) => columns.indexOf(column));
  return places.includes(-1) ? undefined : places;
}

function scanKey(
  node: PhysicalNode & { readonly kind: 'scan' },
  catalog: Catalog,
): readonly number[] | undefined {
  const relation = catalog.relation(node.relation);
  if (relation === undefined) return undefined;
  const key =
    relation.kind === 'materialized-view'
      ? relation.key
      : relation.kind === 'table'
        ? relation.primaryKey
        : [];
  return key.length === 0 ? undefined : placesOf(key, node.columns);
}

/** Of an inner join both sides' keys together; of one whose other side is matched at most once, its own key. */
function joinKey(
  node: PhysicalNode & { readonly kind: 'join' },
  catalog: Catalog,
): readonly number[] | undefined {
  const [left, right] = node.inputs;
  if (left === undefined || right === undefined) return undefined;
  const leftKey = keyOf(left, catalog);
  if (node.type === 'semi' || node.type === 'anti')
    return leftKey && placesOf(leftKey, node.output);
  const rightKey = keyOf(right, catalog);
  if (node.type === 'full' || leftKey === undefined || rightKey === undefined) return undefined;
  const shifted = rightKey.map((column) => column + left.schema.length);
  const covers = (keys: readonly number[], key: readonly number[]): boolean =>
    key.every((column) => keys.includes(column));
  if (node.type !== 'right' && covers(node.rightKeys, rightKey))
    return placesOf(leftKey, node.output);
  if (node.type !== 'left' && covers(node.leftKeys, leftKey)) return placesOf(shifted, node.output);
  return placesOf([...leftKey, ...shifted], node.output);
}
