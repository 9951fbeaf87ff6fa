/** The table of a stream's late rows, by its name. */
import type { Catalog, SourceRelation } from './catalog.ts';

export const LATE_SUFFIX = '_late';

/** Columns that it has behind those of its stream: partition, offset, and the watermark that the row missed. */
export const LATE_COLUMNS = 3;

/** Undefined for a stream without a watermark, none of whose rows are late. */
export function lateRowsOf(stream: SourceRelation, catalog: Catalog): SourceRelation | undefined {
  if (stream.kind !== 'stream' || stream.watermark === undefined) return undefined;
  const found = catalog.relation(`${stream.name}${LATE_SUFFIX}`);
  return found?.kind === 'table' ? found : undefined;
}

/** The stream whose late rows a relation holds. */
export function streamOfLate(name: string, catalog: Catalog): SourceRelation | undefined {
  if (!name.endsWith(LATE_SUFFIX)) return undefined;
  const stream = catalog.relation(name.slice(0, -LATE_SUFFIX.length));
  return stream?.kind === 'stream' && stream.watermark !== undefined ? stream : undefined;
}
