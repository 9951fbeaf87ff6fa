/** Which files hold which nodes' state, and which plans these nodes belong to: text in the store's transactions. */
import { damaged } from '../state/state-reader.ts';
import type { ManifestSummary } from '../store/check-data.ts';
import type { PlanTask } from './plan-task.ts';

/** Changes with whatever operators, containers or logged pushes write. */
const MANIFEST_VERSION = 3;

export interface NodeFile {
  readonly name: string;
  readonly bytes: number;
  /** The state is that after this epoch: pushes up to it are in, later ones are in the log. */
  readonly epoch: number;
}

export interface SavedPlan {
  readonly id: number;
  /** PlanStart.epoch */
  readonly started: number;
  /** Number, fingerprint and unnamed ports of each node of the plan as it is built. Plans may have nodes in common. */
  readonly nodes: readonly (readonly [number, string, readonly number[]])[];
}

export interface StateManifest {
  readonly lastNode: number;
  /** The log's first file that is needed. */
  readonly firstLog: number;
  readonly plans: readonly SavedPlan[];
  readonly files: ReadonlyMap<number, NodeFile>;
}

export function savedPlan({ id, startedEpoch, built }: PlanTask): SavedPlan {
  return {
    id,
    started: startedEpoch,
    nodes: built.map((node) => [node.number, node.fingerprint, [...node.unnamedPorts]] as const),
  };
}

export function formatManifest(manifest: StateManifest): string {
  const files = [...manifest.files].map(([node, file]) => ({ node, ...file }));
  return JSON.stringify({ version: MANIFEST_VERSION, ...manifest, files });
}

/** @throws StreamError STATE_DAMAGED for a manifest of another version. */
export function parseManifest(text: string): StateManifest {
  const parsed = JSON.parse(text) as Omit<StateManifest, 'files'> & {
    readonly version: number;
    readonly files: readonly (NodeFile & { readonly node: number })[];
  };
  if (parsed.version !== MANIFEST_VERSION) {
    throw damaged(`its form has version ${parsed.version}, this program reads ${MANIFEST_VERSION}`);
  }
  const { lastNode, firstLog, plans } = parsed;
  const files = new Map(
    parsed.files.map(({ node, name, bytes, epoch }) => [node, { name, bytes, epoch }] as const),
  );
  return { lastNode, firstLog, plans, files };
}

/** What a check of the data directory needs to know. @throws StreamError STATE_DAMAGED */
export function manifestSummary(text: string): ManifestSummary {
  const { firstLog, plans, files } = parseManifest(text);
  return { firstLog, plans: plans.length, files: [...files.values()] };
}

export function fileNames(manifest: StateManifest): ReadonlySet<string> {
  return new Set([...manifest.files.values()].map(({ name }) => name));
}
