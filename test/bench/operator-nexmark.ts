/**
 * Nexmark queries through scanner and operators alone, without runtime and store, to see what the plans themselves cost:
 * `node test/bench/operator-nexmark.ts [events] [query …]`
 */
import { nexmarkSchema, nexmarkWorkload } from '../../connectors/generator/nexmark.ts';
import type { NexmarkKind } from '../../connectors/generator/nexmark-model.ts';
import type { Batch } from '../../engine/delta/batch.ts';
import { compileJsonScanner } from '../../engine/kernel/json-scanner.ts';
import { buildOperator } from '../../engine/operator/build.ts';
import type { Emit, Operator } from '../../engine/operator/operator.ts';
import { explainPlan } from '../../engine/plan/explain.ts';
import type { PhysicalNode } from '../../engine/plan/physical-node.ts';
import type { TestTable } from '../property/history.ts';
import { planOf } from '../property/run-plan.ts';
import { QUERIES } from './nexmark-queries.ts';

const events = Number(process.argv[2] ?? 1_000_000);
const wanted = process.argv.slice(3);
/** Record batches of each kind in one epoch. */
const EPOCH_SHARE = 100_000 / events;

const kinds: readonly NexmarkKind[] = ['person', 'auction', 'bid'];
const tables = kinds.map(
  (name): TestTable => ({ name, schema: nexmarkSchema(name), domains: [], appendOnly: true }),
);
const workload = nexmarkWorkload(events);

for (const query of QUERIES) {
  if (wanted.length > 0 && !wanted.includes(query.name)) continue;
  const results: { wall: number; cpu: number; rows: number; state: number }[] = [];
  for (let round = 0; round < 3; round++) results.push(run(query.sql));
  results.sort((a, b) => a.cpu - b.cpu);
  const { wall, cpu, rows, state } = results[1] as (typeof results)[number];
  console.log(
    `${query.name}: ${(events / wall / 1e6).toFixed(2)} M events/s, ${cpu.toFixed(3)} CPU s/M, ${rows} changes out, state ${(state / 1e6).toFixed(1)} MB`,
  );
  if (wanted.length > 0) console.log(explainPlan(planOf(query.sql, tables)));
}

function run(sql: string): { wall: number; cpu: number; rows: number; state: number } {
  const plan = planOf(sql, tables);
  let rows = 0;
  const emitters = new Map<PhysicalNode, Emit>();
  const operators = new Map<PhysicalNode, Operator>(
    plan.nodes.flatMap((node) =>
      node.kind === 'scan'
        ? []
        : [
            [
              node,
              buildOperator(node, (error) => {
                throw error;
              }),
            ] as const,
          ],
    ),
  );
  for (const node of [...plan.nodes].reverse()) {
    const readers: ((batch: Batch) => void)[] = [];
    for (const reader of plan.nodes) {
      reader.inputs.forEach((input, port) => {
        if (input !== node) return;
        const operator = operators.get(reader);
        const emit = emitters.get(reader);
        if (operator !== undefined && emit !== undefined) {
          readers.push((batch) => operator.push(port, batch, emit));
        }
      });
    }
    if (node === plan.root) {
      readers.push((batch) => {
        rows += batch.length;
      });
    }
    const [only] = readers;
    emitters.set(
      node,
      only !== undefined && readers.length === 1
        ? only
        : (batch) => {
            for (const reader of readers) reader(batch);
          },
    );
  }
  const leaves = plan.nodes.flatMap((node) => {
    if (node.kind !== 'scan') return [];
    const schema = nexmarkSchema(node.relation as NexmarkKind);
    const scanner = compileJsonScanner(
      node.columns.map((column) => {
        const { name, type } = schema[column] as (typeof schema)[number];
        return { field: name, type, notNull: false };
      }),
    );
    return [
      {
        records: workload[node.relation as NexmarkKind],
        scanner,
        emit: emitters.get(node) as Emit,
        next: 0,
      },
    ];
  });
  const cpu = process.cpuUsage();
  const started = performance.now();
  for (let share = EPOCH_SHARE; share < 1 + EPOCH_SHARE; share += EPOCH_SHARE) {
    for (const leaf of leaves) {
      const end = Math.min(leaf.records.length, Math.ceil(leaf.records.length * share));
      for (; leaf.next < end; leaf.next++) {
        const records = leaf.records[leaf.next] as (typeof leaf.records)[number];
        leaf.emit(leaf.scanner.scan(records, 0, records.length).batch);
      }
    }
    for (const node of plan.nodes) operators.get(node)?.flush(emitters.get(node) as Emit);
  }
  const used = process.cpuUsage(cpu);
  let state = 0;
  for (const operator of operators.values()) state += operator.stateBytes();
  return {
    wall: (performance.now() - started) / 1000,
    cpu: ((used.user + used.system) / events) * 1,
    rows,
    state,
  };
}
