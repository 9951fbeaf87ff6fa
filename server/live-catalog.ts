/** The catalog in memory. The session layer changes it only together with the store, at an epoch's boundary. */

import type { SqlType } from '../sql/base/type.ts';
import type { Catalog, Relation } from '../sql/catalog.ts';

/** What belongs to a relation beside its statement; persisted with it as JSON. */
export interface RelationDetail {
  /** Id of the error table of a stream or of a table fed by a topic. */
  readonly errorsId?: number | undefined;
  /** Id of the sink that carries a stream's own query into its topic. */
  readonly feederId?: number | undefined;
  /** Per stream id: where the plan began to read each partition. */
  readonly starts?: Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
  /** The epoch at which the plan began. */
  readonly started?: number | undefined;
  /** The plan has caught up once, so the stored rows are whole. */
  readonly level?: boolean | undefined;
  readonly paused?: boolean | undefined;
  /** The topic was made by the statement, so CREATE … can be told from an attach. */
  readonly madeTopic?: boolean | undefined;
}

export interface LiveRelation {
  readonly relation: Relation;
  readonly detail: RelationDetail;
  /** Made by another relation's statement (error tables) and dropped with it. */
  readonly owner: number | undefined;
}

export class LiveCatalog implements Catalog {
  readonly #byName = new Map<string, LiveRelation>();
  #lastId = 0;

  relation(name: string): Relation | undefined {
    return this.#byName.get(name)?.relation;
  }

  relations(): readonly Relation[] {
    return this.live().map(({ relation }) => relation);
  }

  type(_name: string): SqlType | undefined {
    return undefined;
  }

  live(): readonly LiveRelation[] {
    return [...this.#byName.values()].sort((a, b) => a.relation.id - b.relation.id);
  }

  find(name: string): LiveRelation | undefined {
    return this.#byName.get(name);
  }

  findById(id: number): LiveRelation | undefined {
    return this.live().find(({ relation }) => relation.id === id);
  }

  put(entry: LiveRelation): void {
    this.#byName.set(entry.relation.name, entry);
    this.#lastId = Math.max(this.#lastId, entry.relation.id);
  }

  remove(name: string): void {
    this.#byName.delete(name);
  }

  /** Ids are never used twice, also not after a restart; see CatalogEntry of kind 'counter'. */
  nextId(): number {
    this.#lastId++;
    return this.#lastId;
  }

  get lastId(): number {
    return this.#lastId;
  }

  reserveIds(upTo: number): void {
    this.#lastId = Math.max(this.#lastId, upTo);
  }

  /** Relations that read `name`, directly, in the order of their creation. */
  readersOf(name: string): readonly Relation[] {
    return this.relations().filter((relation) => relation.dependsOn.includes(name));
  }

  /** Everything that falls with `name`, readers before what they read, `name` last. */
  withDependents(name: string): readonly LiveRelation[] {
    const found: LiveRelation[] = [];
    const visit = (current: string): void => {
      for (const reader of this.readersOf(current)) visit(reader.name);
      const entry = this.#byName.get(current);
      if (entry === undefined || found.includes(entry)) return;
      for (const owned of this.live()) {
        if (owned.owner !== entry.relation.id || found.includes(owned)) continue;
        visit(owned.relation.name);
      }
      found.push(entry);
    };
    visit(name);
    return found;
  }
}
