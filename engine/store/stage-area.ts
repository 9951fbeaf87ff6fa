/** The temporary tables that changes pass through, one per stored relation, made when first needed. */
import { assert } from '../../sql/base/assert.ts';
import type { Connection } from './connection.ts';
import { Appender } from './staging.ts';
import type { StoredRelation, ViewChange } from './store.ts';
import { storedForm } from './stored-form.ts';
import { createStageSql, type StagedRows, stageName } from './view-table.ts';

/** An emptied table keeps some of its past: after so many commits the next one gets a new table. */
const COMMITS_PER_STAGE = 64;

interface Stage {
  readonly appender: Appender;
  commits: number;
}

/** Milliseconds of copying after which other work on the main thread gets its turn. */
const SLICE_MS_MAX = 5;

export class StageArea {
  readonly #connection: Connection;
  readonly #stages = new Map<number, Stage>();
  /** Stages that may hold rows of a commit that failed. */
  readonly #dirty = new Set<number>();
  /** When the main thread began the copying that it does without a break. */
  #sliceStart = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Makes the tables that a commit of these relations needs and that are not there or worn out, in one call. */
  async prepare(relations: readonly StoredRelation[]): Promise<void> {
    this.#sliceStart = performance.now();
    const wanting = relations.filter((relation) => {
      const known = this.#stages.get(relation.id);
      return known === undefined || known.commits >= COMMITS_PER_STAGE;
    });
    if (wanting.length === 0) return;
    for (const { id } of wanting) this.#stages.get(id)?.appender.discard();
    await this.#connection.run(wanting.map(createStageSql).join(';\n'));
    for (const relation of wanting) {
      const forms = relation.schema.map((column) => storedForm(column.type));
      const name = stageName(relation.id);
      const appender = new Appender(this.#connection, 'temp', name, forms, true);
      this.#stages.set(relation.id, { appender, commits: 0 });
    }
  }

  /** Stages the changes of a prepared relation; the rows lie in its table afterwards. */
  async stage(change: ViewChange): Promise<StagedRows> {
    const batches = change.changes.filter((batch) => batch.length > 0);
    let inserted = false;
    let deleted = false;
    let weightMax = 0;
    if (batches.length === 0) return { inserted, deleted, weightMax };
    const appender = this.#appender(change.relation);
    this.#dirty.add(change.relation.id);
    for (const batch of batches) {
      appender.appendBatch(batch);
      if (batch.weights === null) {
        inserted = true;
        weightMax = Math.max(weightMax, 1);
      } else {
        for (let row = 0; row < batch.length; row++) {
          const weight = batch.weights[row] as number;
          if (weight < 0) deleted = true;
          else {
            inserted = true;
            if (weight > weightMax) weightMax = weight;
          }
        }
      }
      if (performance.now() - this.#sliceStart > SLICE_MS_MAX) {
        appender.flush();
        await new Promise((resolve) => setImmediate(resolve));
        this.#sliceStart = performance.now();
      }
    }
    appender.flush();
    return { inserted, deleted, weightMax };
  }

  /** Says that the commit which emptied the stages has succeeded. */
  committed(): void {
    this.#dirty.clear();
  }

  /** Says that a commit has failed: stages that it filled are made anew when next needed. */
  failed(): void {
    for (const id of this.#dirty) {
      this.#stages.get(id)?.appender.discard();
      this.#stages.delete(id);
    }
    this.#dirty.clear();
  }

  /** Statements that drop the stages of dropped relations. */
  dropSql(relationIds: readonly number[]): readonly string[] {
    return relationIds
      .filter((id) => this.#stages.has(id))
      .map((id) => `DROP TABLE IF EXISTS temp.${stageName(id)}`);
  }

  dropped(relationIds: readonly number[]): void {
    for (const id of relationIds) this.#stages.delete(id);
  }

  #appender(relation: StoredRelation): Appender {
    const stage = this.#stages.get(relation.id);
    assert(stage !== undefined, `relation ${relation.id} was prepared`);
    stage.commits++;
    return stage.appender;
  }
}
