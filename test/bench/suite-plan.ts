/** A view's operators by themselves: fed with batches, without the store, so that what is measured is the change. */
import { Batch } from '../../engine/delta/batch.ts';
import { buildOperator } from '../../engine/operator/build.ts';
import type { Operator } from '../../engine/operator/operator.ts';
import { lower } from '../../engine/plan/lower.ts';
import type { PhysicalNode } from '../../engine/plan/physical-node.ts';
import type { PhysicalPlan } from '../../engine/plan/physical-plan.ts';
import { bindStatement } from '../../sql/bind-statement.ts';
import { bindQuery } from '../../sql/binder.ts';
import type { Catalog, SourceRelation, StatementContext } from '../../sql/catalog.ts';
import { parseStatement } from '../../sql/parser.ts';
import { optimize } from '../../sql/rewrite/all.ts';

const context: StatementContext = {
  params: [],
  paramTypes: [],
  nowMicros: 0n,
  settings: new Map(),
};

/** The relations that these CREATE TABLE and CREATE STREAM statements make. */
export function catalogOf(statements: readonly string[]): Catalog {
  const relations: SourceRelation[] = [];
  const catalog: Catalog = {
    relation: (name) => relations.find((relation) => relation.name === name),
    schemas: () => ['public'],
    relations: () => relations,
    type: () => undefined,
    types: () => [],
  };
  for (const sql of statements) {
    const bound = bindStatement(parseStatement(sql), catalog, context);
    if (bound.kind !== 'create-relation') throw new Error(`makes no relation: ${sql}`);
    relations.push({ ...bound.relation, id: relations.length + 1, sql, dependsOn: [] });
  }
  return catalog;
}

export function planOf(sql: string, catalog: Catalog): PhysicalPlan {
  const query = parseStatement(sql);
  if (query.kind !== 'query') throw new Error(`not a query: ${sql}`);
  return lower(optimize(bindQuery(query, catalog, context, { purpose: 'view' }), catalog), catalog);
}

interface Edge {
  readonly node: PhysicalNode;
  readonly port: number;
}

export class PlanUnderLoad {
  /** Rows that came out at the root. */
  rowsOut = 0;
  readonly plan: PhysicalPlan;
  readonly #operators = new Map<PhysicalNode, Operator>();
  readonly #readers = new Map<PhysicalNode, Edge[]>();
  readonly #scans = new Map<string, PhysicalNode[]>();
  readonly #emit = new Map<PhysicalNode, (batch: Batch) => void>();

  constructor(plan: PhysicalPlan) {
    this.plan = plan;
    const fail = (error: Error): never => {
      throw error;
    };
    for (const node of plan.nodes) {
      this.#readers.set(node, []);
      this.#emit.set(node, (batch) => this.#pass(node, batch));
      if (node.kind === 'scan') {
        this.#scans.set(node.relation, [...(this.#scans.get(node.relation) ?? []), node]);
      } else if (node.kind !== 'clock') {
        this.#operators.set(node, buildOperator(node, fail));
      }
      node.inputs.forEach((input, port) => {
        this.#readers.get(input)?.push({ node, port });
      });
    }
    // Constant inputs come out before anything is pushed.
    this.flush();
  }

  get relations(): readonly string[] {
    return [...this.#scans.keys()];
  }

  push(relation: string, batch: Batch): void {
    for (const node of this.#scans.get(relation) ?? []) {
      if (node.kind !== 'scan') continue;
      const columns = node.columns.map((column) => batch.column(column));
      this.#pass(node, new Batch(batch.length, columns, batch.weights));
    }
  }

  /** The end of an epoch. */
  flush(): void {
    for (const node of this.plan.nodes) {
      const emit = this.#emit.get(node);
      if (emit !== undefined) this.#operators.get(node)?.flush(emit);
    }
  }

  stateBytes(): number {
    let bytes = 0;
    for (const operator of this.#operators.values()) bytes += operator.stateBytes();
    return bytes;
  }

  stateEntries(): number {
    let entries = 0;
    for (const operator of this.#operators.values()) entries += operator.stateEntries();
    return entries;
  }

  #pass(node: PhysicalNode, batch: Batch): void {
    if (batch.length === 0) return;
    if (node === this.plan.root) this.rowsOut += batch.length;
    for (const { node: reader, port } of this.#readers.get(node) ?? []) {
      const emit = this.#emit.get(reader);
      if (emit !== undefined) this.#operators.get(reader)?.push(port, batch, emit);
    }
  }
}
