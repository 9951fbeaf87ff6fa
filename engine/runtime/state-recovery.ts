/**
 * After a restart: the plans of the last manifest get their operators' state back from the files, and the epochs that were
 * logged since are pushed again, with the outputs muted. Plans that were running in common are so again before that. Plans
 * that are not in the manifest, or whose nodes are not those that were saved, are left to replay.ts.
 */
import { StreamError } from '../../sql/base/error.ts';
import { loadAll } from '../state/saved.ts';
import { damaged, StateReader } from '../state/state-reader.ts';
import type { LogPosition, StateFiles } from '../store/state-files.ts';
import type { SavedState } from '../store/store.ts';
import type { GraphNode, PortGuard } from './graph.ts';
import type { PlanSet } from './plan-set.ts';
import type { PlanTask } from './plan-task.ts';
import type { Log } from './replay.ts';
import { type LoggedPush, readFrame } from './state-frame.ts';
import {
  type NodeFile,
  parseManifest,
  type SavedPlan,
  type StateManifest,
} from './state-manifest.ts';

/** Logged bytes after which the event loop has a turn. */
const BYTES_A_TURN = 4 * 1024 * 1024;

export interface Recovered {
  readonly manifest: StateManifest;
  readonly log: LogPosition;
  /** Bytes of the log that were pushed again. */
  readonly logBytes: number;
}

/** @throws StreamError STATE_DAMAGED when a file that counts cannot be read; the operators are useless then. */
export async function recoverState(
  plans: PlanSet,
  files: StateFiles,
  saved: SavedState,
  log: Log,
): Promise<Recovered> {
  const manifest = parseManifest(saved.manifest);
  const numbers = restorePlans(plans, manifest);
  plans.graph.renumber(numbers, Math.max(manifest.lastNode, plans.graph.lastNumber));
  const epochs = new Map<GraphNode, number>();
  for (const [node, number] of numbers) {
    if (!node.isStateful) continue;
    const file = manifest.files.get(number);
    if (file === undefined) throw damaged(`node ${number} has no file`);
    loadNode(files, node, file);
    epochs.set(node, file.epoch);
  }
  const replay = new Replay([...numbers.keys()], epochs);
  let logBytes = 0;
  let turnBytes = 0;
  for (const { number, payload } of files.readLog(manifest.firstLog, saved.log)) {
    replay.epoch(number, [...readFrame(payload)]);
    logBytes += payload.length;
    turnBytes += payload.length;
    if (turnBytes < BYTES_A_TURN) continue;
    turnBytes = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  replay.end();
  // The log may name nodes that no manifest knows yet: a new node with such a number would be given their pushes next time.
  plans.graph.renumber(numbers, Math.max(replay.lastNode, plans.graph.lastNumber));
  const restored = [...plans.tasks.values()].filter((task) => task.isRestored).length;
  log('info', `state of ${restored} plans read back`, { nodes: epochs.size, logBytes });
  return { manifest, log: saved.log, logBytes };
}

/** Finds the plans that can go on and folds what they have in common. @returns their nodes with their numbers. */
function restorePlans(plans: PlanSet, manifest: StateManifest): ReadonlyMap<GraphNode, number> {
  const saved = new Map(manifest.plans.map((plan) => [plan.id, plan]));
  const nodes = new Map<number, GraphNode>();
  for (const task of plans.tasks.values()) {
    const plan = saved.get(task.id);
    if (plan === undefined || !isSame(task, plan, manifest) || !areInputsRestored(plans, task)) {
      continue;
    }
    task.isRestored = true;
    const own = new Map(task.built.map((node, i) => [node, plan.nodes[i]?.[0] ?? 0]));
    plans.fold(task, (node) => nodes.get(own.get(node) ?? 0));
    for (const [node, number] of own) if (!nodes.has(number)) nodes.set(number, node);
    task.built.forEach((node, i) => {
      node.unnamedPorts = new Set(plan.nodes[i]?.[2]);
    });
  }
  return new Map([...nodes].map(([number, node]) => [node, number]));
}

function isSame(task: PlanTask, plan: SavedPlan, { files }: StateManifest): boolean {
  return (
    task.state === 'running' &&
    task.startedEpoch === plan.started &&
    task.built.length === plan.nodes.length &&
    task.built.every((node, i) => {
      const [number, fingerprint] = plan.nodes[i] ?? [0, ''];
      return node.fingerprint === fingerprint && (!node.isStateful || files.has(number));
    })
  );
}

/** A view that begins anew emits rows that its readers have already. */
function areInputsRestored(plans: PlanSet, task: PlanTask): boolean {
  return (task.fragment?.leaves ?? []).every(({ relationId, isClock }) => {
    const input = isClock ? undefined : plans.tasks.get(relationId);
    return input?.fragment === undefined || input.isRestored;
  });
}

/** @throws StreamError STATE_DAMAGED */
export function loadNode(files: StateFiles, node: GraphNode, { name, bytes }: NodeFile): void {
  const blocks = files.readNode(name, bytes);
  const reader = new StateReader(() => {
    const next = blocks.next();
    return next.done === true ? undefined : next.value;
  });
  try {
    loadAll(node.operator?.savedParts() ?? [], reader);
    if (!reader.isAtEnd) throw damaged(`${name} has more than a ${node.label} takes`);
  } catch (cause) {
    if (cause instanceof StreamError) throw cause;
    // The checksums are right, so another version of the program has written this.
    throw new StreamError('STATE_DAMAGED', `operator state in ${name} cannot be read`, { cause });
  } finally {
    blocks.return(undefined);
  }
  node.isChanged = false;
}

/** Pushes logged epochs into restored nodes, in the order in which they were pushed and flushed (state-round.ts has the proof). */
export class Replay {
  readonly #nodes: readonly GraphNode[];
  readonly #byNumber: ReadonlyMap<number, GraphNode>;
  readonly #savedAt: ReadonlyMap<GraphNode, number>;
  #epoch = 0;
  #lastNode = 0;
  /** An entry port takes what the log gives; what comes down to it through the graph was logged as well. */
  #isInjecting = false;

  constructor(nodes: readonly GraphNode[], savedAt: ReadonlyMap<GraphNode, number>) {
    this.#nodes = [...nodes].sort((a, b) => a.number - b.number);
    this.#byNumber = new Map(nodes.map((node) => [node.number, node]));
    this.#savedAt = savedAt;
    for (const node of nodes) node.guard = this.#guard;
  }

  readonly #guard: PortGuard = (node, port) => {
    if (node.entryPorts.has(port) && !this.#isInjecting) return false;
    this.#isInjecting = false;
    if (!this.#takes(node)) return false;
    node.isChanged = true;
    return true;
  };

  #takes(node: GraphNode): boolean {
    return this.#epoch > (this.#savedAt.get(node) ?? 0);
  }

  /** The highest number that a logged push names. */
  get lastNode(): number {
    return this.#lastNode;
  }

  epoch(epoch: number, pushes: readonly LoggedPush[]): void {
    this.#epoch = epoch;
    // A flush without a push before or in it changes nothing, so only those count that have one.
    for (let start = 0; start < pushes.length; ) {
      let end = start + 1;
      while (end < pushes.length && pushes[end]?.flushes === pushes[start]?.flushes) end++;
      this.#pushAndFlush(pushes.slice(start, end));
      start = end;
    }
  }

  #pushAndFlush(pushes: readonly LoggedPush[]): void {
    let next = 0;
    for (const node of this.#nodes) {
      for (let push = pushes[next]; push !== undefined; push = pushes[++next]) {
        if (push.flushing >= node.number) break;
        this.#push(push);
      }
      if (this.#takes(node)) node.operator?.flush(node.emit);
    }
    for (const push of pushes.slice(next)) this.#push(push);
  }

  #push({ node, port, batch }: LoggedPush): void {
    this.#lastNode = Math.max(this.#lastNode, node);
    this.#isInjecting = true;
    // Nodes of plans that were dropped since are unknown.
    this.#byNumber.get(node)?.push(port, batch);
    this.#isInjecting = false;
  }

  end(): void {
    for (const node of this.#nodes) node.guard = undefined;
  }
}
