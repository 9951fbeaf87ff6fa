/**
 * The law of saved state: nodes saved one an epoch while the plan runs, and the log, give back a plan that goes on exactly.
 * Every query shape runs over random histories; what the restored plan emits in the next epochs is what the first one emits,
 * batch by batch.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { Batch } from '../../../engine/delta/batch.ts';
import type { PhysicalPlan } from '../../../engine/plan/physical-plan.ts';
import { buildFragment } from '../../../engine/runtime/fragment.ts';
import { Graph, type GraphNode, selectColumns } from '../../../engine/runtime/graph.ts';
import { type PlanFragment, pushInto } from '../../../engine/runtime/plan-task.ts';
import { FrameRecorder, readFrame } from '../../../engine/runtime/state-frame.ts';
import type { NodeFile } from '../../../engine/runtime/state-manifest.ts';
import { loadNode, Replay } from '../../../engine/runtime/state-recovery.ts';
import { StateRound } from '../../../engine/runtime/state-round.ts';
import { StateFiles } from '../../../engine/store/state-files.ts';
import {
  batchOf,
  type Epoch,
  type History,
  histories,
  runs,
  tableOf,
} from '../../property/history.ts';
import { queryShapes } from '../../property/query-shapes.ts';
import { emission } from '../../property/restart.ts';
import { planOf } from '../../property/run-plan.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-round-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const tables = [tableOf('l', false), tableOf('r', false), tableOf('e', true)];

/** One plan in a graph, fed as the runtime feeds it. */
class Running {
  readonly graph = new Graph();
  readonly fragment: PlanFragment;
  readonly recorder = new FrameRecorder(this.graph);
  #emitted: Batch[] = [];

  constructor(plan: PhysicalPlan) {
    const id = (name: string): number => tables.findIndex((table) => table.name === name);
    this.fragment = buildFragment(plan.root, id);
    for (const node of this.fragment.nodes) {
      this.graph.add(node);
      node.addFailureTap(({ error }) => {
        throw error;
      });
    }
    this.fragment.root.addTap({ take: (batch) => this.#emitted.push(batch) });
  }

  get stateful(): readonly GraphNode[] {
    return this.graph.nodes.filter((node) => node.isStateful);
  }

  logged(): this {
    for (const node of this.graph.nodes) node.guard = this.recorder.guard;
    return this;
  }

  /** @returns what came out, batch by batch. */
  run(epoch: Epoch): unknown {
    this.#emitted = [];
    const batchesMax = Math.max(...epoch.map((batches) => batches.length));
    for (let i = 0; i < batchesMax; i++) {
      epoch.forEach((batches, table) => {
        const changes = batches[i] ?? [];
        const schema = tables[table]?.schema ?? [];
        if (changes.length > 0) this.#feed(table, batchOf(schema, changes));
      });
    }
    this.graph.flush();
    return emission(this.#emitted);
  }

  #feed(table: number, batch: Batch): void {
    for (const leaf of this.fragment.leaves) {
      if (leaf.relationId === table) pushInto(leaf, selectColumns(batch, leaf.columns));
    }
  }
}

/** Saves one node between any two epochs, rounds without end; gives the files of the last whole round. */
async function save(
  first: Running,
  files: StateFiles,
  history: History,
): Promise<{ saved: ReadonlyMap<number, NodeFile>; frames: Map<number, Buffer> }> {
  const frames = new Map<number, Buffer>();
  let saved: ReadonlyMap<number, NodeFile> = new Map();
  let round: StateRound | undefined;
  for (const [i, epoch] of history.entries()) {
    first.run(epoch);
    frames.set(i + 1, Buffer.concat(first.recorder.take() ?? []));
    round ??= new StateRound(first.graph, files, first.stateful, saved, () => {});
    // The first step may only make memory ready.
    const before = round.waiting;
    while (round.waiting === before && before > 0) round.step(i + 1, 1);
    await round.ended();
    assert.equal(round.failure, undefined);
    if (!round.isDone) continue;
    saved = round.files;
    round = undefined;
  }
  return { saved, frames };
}

let count = 0;

async function check(plan: PhysicalPlan, history: History): Promise<void> {
  const directory = join(folder, String(count++));
  mkdirSync(join(directory, 'state'), { recursive: true });
  const files = new StateFiles(directory);
  const first = new Running(plan).logged();
  const later = history.slice(-2);
  const { saved, frames } = await save(first, files, history.slice(0, -2));
  const nodes = first.stateful.length;
  if (saved.size === nodes) {
    const second = new Running(plan);
    const epochs = new Map<GraphNode, number>();
    for (const node of second.stateful) {
      const file = saved.get(node.number);
      assert.ok(file !== undefined);
      loadNode(files, node, file);
      epochs.set(node, file.epoch);
    }
    const replay = new Replay(second.graph.nodes, epochs);
    for (const [epoch, frame] of frames) replay.epoch(epoch, [...readFrame(frame)]);
    replay.end();
    for (const epoch of later) assert.deepEqual(second.run(epoch), first.run(epoch));
  }
  rmSync(directory, { recursive: true });
}

for (const { name, query } of queryShapes) {
  test(name, async () => {
    const plan = planOf(query, tables);
    // Nodes are saved one an epoch, so that only histories with several epochs say anything.
    const longOnes = histories(tables).filter((history) => history.length >= 6);
    await fc.assert(
      fc.asyncProperty(longOnes, (history) => check(plan, history)),
      { numRuns: Math.ceil(runs / 10) },
    );
  });
}
