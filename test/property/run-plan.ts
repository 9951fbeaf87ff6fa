/** Runs a physical plan over a history without the runtime: leaves are fed, operators flushed in topological order. */
import type { Batch } from '../../engine/delta/batch.ts';
import { Batch as BatchOf } from '../../engine/delta/batch.ts';
import { buildOperator } from '../../engine/operator/build.ts';
import type { Operator, ReportRowError } from '../../engine/operator/operator.ts';
import { lower } from '../../engine/plan/lower.ts';
import type { PhysicalNode } from '../../engine/plan/physical-node.ts';
import type { PhysicalPlan } from '../../engine/plan/physical-plan.ts';
import type { Schema } from '../../sql/base/type.ts';
import { columnOf } from '../../sql/bind-scope.ts';
import { bindQuery } from '../../sql/binder.ts';
import type { Catalog, SourceRelation } from '../../sql/catalog.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import { parseStatement } from '../../sql/parser.ts';
import { optimize } from '../../sql/rewrite/all.ts';
import { Bag, batchOf, type Epoch, type TestTable } from './history.ts';
import { restarted } from './restart.ts';

export function catalogOf(tables: readonly TestTable[]): Catalog {
  const relations = tables.map(
    (table, id): SourceRelation => ({
      kind: table.appendOnly ? 'stream' : 'table',
      name: table.name,
      id,
      schema: table.schema,
      sql: '',
      dependsOn: [],
      readOnly: false,
      input: undefined,
      primaryKey: [],
      columns: table.schema.map((column) => ({
        from: { kind: 'value', field: column.name },
        default: undefined,
        notNull: false,
      })),
      watermark:
        table.watermark === undefined
          ? undefined
          : {
              column: table.watermark,
              expression: columnOf(
                table.watermark,
                (table.schema[table.watermark] as Schema[number]).type,
              ),
            },
      query: undefined,
    }),
  );
  return {
    relation: (name) => relations.find((relation) => relation.name === name),
    schemas: () => ['public'],
    relations: () => relations,
    type: () => undefined,
    types: () => [],
  };
}

export function planOf(sql: string, tables: readonly TestTable[]): PhysicalPlan {
  const catalog = catalogOf(tables);
  return lower(optimize(boundOf(sql, tables), catalog), catalog);
}

/** The query of a view, bound and not yet rewritten. */
export function boundOf(sql: string, tables: readonly TestTable[]): LogicalNode {
  const statement = parseStatement(sql);
  if (statement.kind !== 'query') throw new Error(`not a query: ${sql}`);
  const context = { params: [], paramTypes: [], nowMicros: 0n, settings: new Map() };
  return bindQuery(statement, catalogOf(tables), context, { purpose: 'view' });
}

const clockSchema: Schema = [{ name: 'time', type: { kind: 'timestamp' }, nullable: false }];

const isLeaf = (node: PhysicalNode): boolean => node.kind === 'scan' || node.kind === 'clock';

export class PlanRunner {
  readonly bag: Bag;
  /** Every batch that came out, for laws about the output beside its sum. */
  readonly emitted: Batch[] = [];
  readonly operators = new Map<PhysicalNode, Operator>();
  readonly #plan: PhysicalPlan;
  readonly #tables: readonly TestTable[];
  readonly #readers = new Map<
    PhysicalNode,
    { readonly node: PhysicalNode; readonly port: number }[]
  >();

  readonly #report: ReportRowError;

  constructor(plan: PhysicalPlan, tables: readonly TestTable[], report: ReportRowError) {
    this.#plan = plan;
    this.#report = report;
    this.#tables = tables;
    this.bag = new Bag(plan.schema);
    for (const node of plan.nodes) {
      this.#readers.set(node, []);
      if (!isLeaf(node)) this.operators.set(node, buildOperator(node, report));
      node.inputs.forEach((input, port) => {
        this.#readers.get(input)?.push({ node, port });
      });
    }
  }

  /** The same plan in new operators that were loaded with what these have saved; its bag begins empty. */
  restarted(): PlanRunner {
    const twin = new PlanRunner(this.#plan, this.#tables, this.#report);
    for (const [node, operator] of this.operators) {
      restarted(operator, twin.operators.get(node) as Operator);
    }
    return twin;
  }

  /** @param clockMicros  what the clocks say behind the epoch's rows. */
  run(epoch: Epoch, clockMicros?: bigint | undefined): void {
    this.emitted.length = 0;
    const batchesMax = Math.max(...epoch.map((batches) => batches.length));
    for (let i = 0; i < batchesMax; i++) {
      epoch.forEach((batches, index) => {
        const table = this.#tables[index];
        const changes = batches[i] ?? [];
        if (table !== undefined && changes.length > 0)
          this.#feed(table, batchOf(table.schema, changes));
      });
    }
    if (clockMicros !== undefined) {
      const strike = batchOf(clockSchema, [{ row: [clockMicros], weight: 1 }]);
      for (const node of this.#plan.nodes) if (node.kind === 'clock') this.#emit(node, strike);
    }
    for (const node of this.#plan.nodes) {
      this.operators.get(node)?.flush((batch) => this.#emit(node, batch));
    }
  }

  #feed(table: TestTable, batch: Batch): void {
    for (const node of this.#plan.nodes) {
      if (node.kind !== 'scan' || node.relation !== table.name) continue;
      const columns = node.columns.map((column) => batch.column(column));
      this.#emit(node, new BatchOf(batch.length, columns, batch.weights));
    }
  }

  #emit(node: PhysicalNode, batch: Batch): void {
    if (node === this.#plan.root) {
      this.bag.take(batch);
      this.emitted.push(batch);
    }
    for (const reader of this.#readers.get(node) ?? []) {
      this.operators
        .get(reader.node)
        ?.push(reader.port, batch, (out) => this.#emit(reader.node, out));
    }
  }
}
