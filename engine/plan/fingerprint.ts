import { createHash } from 'node:crypto';
import { functionFacts } from '../../sql/function/scalar-function.ts';
import type { PhysicalNode, PhysicalShape } from './physical-node.ts';

/**
 * Equal for nodes that compute the same rows from the same relations: a digest of the shape and of the inputs'
 * fingerprints. Where an expression stands in its statement does not count, nor do column names.
 * @param leaf  names a scan's relation for all time (its catalog id), since names are reused.
 */
export function fingerprint(
  shape: PhysicalShape,
  inputs: readonly PhysicalNode[],
  leaf: string,
): string {
  const text = `${leaf} ${canonical(shape)} ${inputs.map((input) => input.fingerprint).join(' ')}`;
  return createHash('sha256').update(text).digest('base64url').slice(0, 32);
}

/** JSON of plain data, with the values that JSON lacks, and functions by signature. */
export function canonical(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (value === undefined) return '';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  // A plan inside a node: its own fingerprint says it all.
  if ('fingerprint' in value) return String(value.fingerprint);
  const isFunction = 'evaluate' in value || 'accumulator' in value;
  const parts: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined || key === 'span' || typeof item === 'function') continue;
    if (isFunction && !functionFacts.has(key)) continue;
    parts.push(`${key}:${canonical(item)}`);
  }
  return `{${parts.sort().join(',')}}`;
}
