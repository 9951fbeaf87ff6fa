/** FROM: relations, subqueries, functions and joins to one plan and the names over its columns. */
import type { FromItem, Query } from './ast.ts';
import { assertNever } from './base/assert.ts';
import { StreamError } from './base/error.ts';
import { bindFromFunction } from './bind-from-function.ts';
import {
  type BoundFrom,
  bindRight,
  combineNames,
  type FromPlace,
  named,
} from './bind-from-place.ts';
import { bindJoin } from './bind-join.ts';
import { bindJsonTable } from './bind-json-table.ts';
import { bindMatch } from './bind-match.ts';
import { findRelation } from './bind-relation.ts';
import { hideLateral } from './bind-scope.ts';
import { bindWindowTable } from './bind-window-table.ts';

/** The items of FROM as a chain of cross joins. */
export function bindFromList(items: readonly FromItem[], place: FromPlace): BoundFrom | undefined {
  let result: BoundFrom | undefined;
  for (const item of items) {
    result = result === undefined ? bindFromItem(item, place) : crossJoin(result, item, place);
  }
  return result;
}

export function bindFromItem(item: FromItem, place: FromPlace): BoundFrom {
  switch (item.kind) {
    case 'relation': {
      const found = findRelation(item, place);
      if (item.streamWindow === undefined) return found;
      throw new StreamError('SQL_NOT_SUPPORTED', 'WINDOW of a single source is not supported', {
        at: item.streamWindow.span,
        hint: 'Use TUMBLE or HOP around the source.',
      });
    }
    case 'derived':
      return bindDerived(item, place);
    case 'function':
      return bindFromFunction(item, place);
    case 'window-table':
      return bindWindowTable(item, place, bindFromItem);
    case 'json-table':
      return bindJsonTable(item, place, bindFromItem);
    case 'join':
      return bindJoin(item, place, bindFromItem);
    case 'match-recognize':
      return bindMatch(item, place, bindFromItem);
    default:
      return assertNever(item);
  }
}

function bindDerived(item: FromItem & { readonly kind: 'derived' }, place: FromPlace): BoundFrom {
  const { context, commonTables } = place;
  const parent = item.lateral ? place.parent : hideLateral(place.parent, place.around);
  const query: Query = item.query;
  const node = context.rules.query(query, { context, parent, commonTables, resolveUnknown: true });
  return named(node, item.alias, item.alias?.name.name, undefined);
}

function crossJoin(left: BoundFrom, item: FromItem, place: FromPlace): BoundFrom {
  const { right, lateral } = bindRight(left, place, (inner) => bindFromItem(item, inner));
  const names = combineNames(left, right, item.span);
  return {
    ...names,
    node: {
      kind: 'join',
      type: 'inner',
      left: left.node,
      right: right.node,
      on: undefined,
      lateral,
      schema: [...left.node.schema, ...right.node.schema],
    },
  };
}
