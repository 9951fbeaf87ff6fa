/**
 * What of the operators' state can go behind watermarks. Late rows are no rows of a stream, so once a column has closed no
 * row with such a value comes, changes or goes: what is kept to meet such a row, or to take one back, is kept for nothing.
 * What has come out of it stays where it is, so views keep their rows.
 */
import type { Catalog } from '../../sql/catalog.ts';
import {
  both,
  type Closing,
  type ClosingFinder,
  type Closings,
  earliestOf,
  type Parting,
} from './closing.ts';
import { clockOf } from './emit-final.ts';
import { frameReach, type WindowNode } from './frame-reach.ts';
import { type Versions, versionsOf } from './newest.ts';
import type { ForgetRule, Forgetting, PhysicalNode } from './physical-node.ts';
import type { PlanBuilder } from './plan-builder.ts';

/** Of a node's inputs, or of the node's own key, the column whose rows are dropped, and when. */
type Rule = (Parting & Pick<ForgetRule, 'keepsNewest'>) | undefined;

/** The same plan, whose operators drop their state behind the watermarks where they can. */
export function forgetClosed(
  root: PhysicalNode,
  builder: PlanBuilder,
  finder: ClosingFinder,
  catalog: Catalog,
): PhysicalNode {
  const versions = versionsOf(root);
  const made = new Map<PhysicalNode, PhysicalNode>();
  const visit = (node: PhysicalNode): PhysicalNode => {
    const known = made.get(node);
    if (known !== undefined) return known;
    // The step of a recursive query reads its inputs by what they are.
    const inputs = node.kind === 'recursive' ? node.inputs : node.inputs.map(visit);
    const forgets = forgettingOf(node, finder, versions.get(node));
    const clocks = forgets?.streams.map((stream) => clockOf(stream, builder, catalog)) ?? [];
    const isSame = forgets === undefined && inputs.every((input, i) => input === node.inputs[i]);
    const next = isSame ? node : builder.remake(node, [...inputs, ...clocks], forgets);
    made.set(node, next);
    return next;
  };
  return visit(root);
}

function forgettingOf(
  node: PhysicalNode,
  finder: ClosingFinder,
  versions: Versions | undefined,
): Forgetting | undefined {
  const rules = rulesOf(node, finder, versions);
  const streams = new Set(rules.flatMap((rule) => rule?.streams ?? []));
  if (streams.size === 0) return undefined;
  return {
    streams: [...streams].sort(),
    rules: rules.map((rule) => {
      if (rule === undefined) return undefined;
      const { column, micros, endsNulls, keepsNewest } = rule;
      return { column, micros, endsNulls: endsNulls === true, keepsNewest };
    }),
  };
}

/** One a side of a join; one for the keys of any other operator. */
function rulesOf(
  node: PhysicalNode,
  finder: ClosingFinder,
  versions: Versions | undefined,
): readonly Rule[] {
  const [input] = node.inputs;
  if (input === undefined) return [];
  switch (node.kind) {
    case 'aggregate':
      return [byKey(node.keys, finder.of(input))];
    case 'top-n':
      return [byKey(node.partitionBy, finder.of(input))];
    case 'window': {
      const closings = finder.of(input);
      return [byKey(node.partitionBy, closings), passing(node, closings)];
    }
    case 'set-operation': {
      const all = node.schema.map((_, column) => column);
      return [byKey(all, finder.of(node))];
    }
    case 'session': {
      const end = node.schema.length - 1;
      const closing = finder.of(node)[end];
      return [closing && { ...closing, column: end }];
    }
    case 'join':
      return ([0, 1] as const).map(
        (side) => ofSide(node, side, finder) ?? ofVersions(node, side, finder, versions),
      );
    default:
      return [];
  }
}

/** Of the key columns the one that closes first, by its place among them. */
function byKey(keys: readonly number[], closings: readonly (Closing | undefined)[]): Rule {
  const found = keys.map((key, column) => {
    const closing = closings[key];
    return closing && { column, streams: closing.streams, micros: closing.micros };
  });
  return earliestOf(found);
}

/**
 * Rows so far back that no frame of a row that is still to come, or can still change, reaches them. Those are the rows from the
 * watermark on, and as far before it as their frames look ahead.
 */
function passing(node: WindowNode, closings: Closings): Rule {
  const [key] = node.orderBy;
  const closing = key && closings[key.column];
  const reach = frameReach(node);
  if (key === undefined || closing === undefined || reach?.back === undefined) return undefined;
  if (key.nullsFirst || reach.ahead === undefined) return undefined;
  const micros = closing.micros + reach.back + reach.ahead;
  return { column: key.column, streams: closing.streams, micros };
}

/** Rows that can meet no new row are kept only to be taken back; rows of a side that only grows never are. */
function ofSide(
  node: PhysicalNode & { readonly kind: 'join' },
  side: 0 | 1,
  finder: ClosingFinder,
): Rule {
  const input = node.inputs[side];
  if (input === undefined) return undefined;
  const closings = finder.of(input);
  const found = finder.partings(node, side).map((parting) => {
    if (input.appendOnly) return parting;
    const own = closings[parting.column];
    return own && { ...both(own, parting), column: parting.column };
  });
  return earliestOf(found);
}

/**
 * Versions that no later row can ask for: those that are final, and so is a newer one, before the watermark that the asking rows
 * will not be behind. A row that asked would have to take the older versions back with itself, so it must never go.
 */
function ofVersions(
  node: PhysicalNode & { readonly kind: 'join' },
  side: 0 | 1,
  finder: ClosingFinder,
  versions: Versions | undefined,
): Rule {
  const own = node.inputs[side];
  const asking = node.inputs[1 - side];
  if (versions?.side !== side || own === undefined || asking?.appendOnly !== true) return undefined;
  const closing = finder.of(own)[versions.time];
  const last = finder.of(asking)[versions.asked];
  if (closing === undefined || last === undefined) return undefined;
  return { ...both(closing, last), column: versions.time, endsNulls: true, keepsNewest: true };
}
