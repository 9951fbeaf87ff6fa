/** What CREATE says of a query whose operators keep more and more of a stream although it has a watermark. */
import { describe } from '../engine/plan/explain.ts';
import { lower } from '../engine/plan/lower.ts';
import type { Relation } from '../sql/catalog.ts';
import type { Core } from './core.ts';

/** More operators than this are only counted. */
const NAMED_MAX = 3;

/** Empty when every operator that reads a stream with a watermark drops what the watermark has passed. */
export function growthWarning(core: Core, relation: Relation): string {
  if (!('query' in relation) || relation.query === undefined || relation.kind === 'view') return '';
  const { growth } = lower(relation.query, core.catalog);
  const isWatermarked = (name: string): boolean => {
    const stream = core.catalog.relation(name);
    return stream?.kind === 'stream' && stream.watermark !== undefined;
  };
  const growing = [...growth].filter(([, streams]) => streams.some(isWatermarked));
  if (growing.length === 0) return '';
  const streams = [...new Set(growing.flatMap(([, names]) => names.filter(isWatermarked)))];
  const named = growing.slice(0, NAMED_MAX).map(([node]) => describe(node).split(';')[0]);
  const others = growing.length - named.length;
  if (others > 0) named.push(`and ${others} more`);
  return `WARNING: state can grow without end with ${streams.join(', ')}, as no watermark closes what is kept: ${named.join('; ')}`;
}
