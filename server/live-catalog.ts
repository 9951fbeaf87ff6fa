/** The catalog in memory. The session layer changes it only together with the store, at an epoch's boundary. */

import { splitKey } from '../sql/bind-schema.ts';
import {
  type Catalog,
  PUBLIC_SCHEMA,
  type Reference,
  type Relation,
  relationKey,
  type SourceRelation,
  type UserType,
} from '../sql/catalog.ts';
import { Routines } from './function/routines.ts';

/** What belongs to a relation beside its statement; persisted with it as JSON. */
export interface RelationDetail {
  /** Id of the error relation: of a topic's records, or of the rows of a view's or sink's plan. */
  readonly errorsId?: number | undefined;
  /** Id of the table of late rows of a stream with a watermark. */
  readonly lateId?: number | undefined;
  /** Id of the error relation of the plan that carries a stream's own query into its topic. */
  readonly feederErrorsId?: number | undefined;
  /** Id of the sink that carries a stream's own query into its topic. */
  readonly feederId?: number | undefined;
  /** Id of the sink that takes a stream's bad records to a topic. */
  readonly dlqId?: number | undefined;
  /** The definition was altered while records were in the error relation. */
  readonly altered?: boolean | undefined;
  /** Per stream id: where the plan began to read each partition. */
  readonly starts?: Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
  /** The epoch at which the plan began. */
  readonly started?: number | undefined;
  /** The session that made the view said where it begins to read its streams. */
  readonly startAt?: 'earliest' | 'latest' | undefined;
  /** Of the session that made the relation: what the names in its statement mean. */
  readonly searchPath?: string | undefined;
  /** A table over ksqlDB's windows that keeps the bounds of these. */
  readonly windowBounds?: boolean | undefined;
  /** The plan (of a stream: its feeder's) has caught up once, so what it gave is whole. */
  readonly level?: boolean | undefined;
  readonly paused?: boolean | undefined;
  /** Why the server paused it; undefined for PAUSE. */
  readonly pausedReason?: string | undefined;
  /** The paused view that it reads, and comes back with. */
  readonly pausedWith?: string | undefined;
  /** CREATE INDEX statements, in their order. */
  readonly indexes?: readonly string[] | undefined;
  /** The topic was made by the statement, so CREATE … can be told from an attach. */
  readonly madeTopic?: boolean | undefined;
}

/** What a relation has from the session that made it. */
export type RelationOrigin = Pick<RelationDetail, 'startAt' | 'searchPath' | 'windowBounds'>;

export interface LiveRelation {
  readonly relation: Relation;
  readonly detail: RelationDetail;
  /** Made by another relation's statement (error tables) and dropped with it. */
  readonly owner: number | undefined;
}

/** A foreign key, seen from its target. */
export interface Referrer {
  readonly relation: SourceRelation;
  /** Its number among the foreign keys of the relation. */
  readonly number: number;
  readonly reference: Reference;
}

/** Catalog names of a relation's indexes, which are in its schema. */
function indexNames(catalog: Catalog, relation: Relation): readonly string[] {
  const { schema } = splitKey(catalog, relation.name);
  const uniques = relation.kind === 'table' ? (relation.uniques ?? []) : [];
  return [...uniques, ...(relation.indexes ?? [])].map(({ name }) => relationKey(schema, name));
}

export class LiveCatalog implements Catalog {
  readonly routines = new Routines();
  readonly #byName = new Map<string, LiveRelation>();
  readonly #schemas = new Map<string, number>();
  readonly #types = new Map<string, UserType>();
  #referrers: ReadonlyMap<string, readonly Referrer[]> | undefined;
  #lastId = 0;

  relation(name: string): Relation | undefined {
    return this.#byName.get(name)?.relation;
  }

  relations(): readonly Relation[] {
    return this.live().map(({ relation }) => relation);
  }

  type(name: string): UserType | undefined {
    return this.#types.get(name);
  }

  types(): readonly UserType[] {
    return [...this.#types.values()].sort((a, b) => a.id - b.id);
  }

  /** Makes a type, or puts it in the place of the one with its number. */
  putType(type: UserType): void {
    for (const one of this.#types.values()) if (one.id === type.id) this.#types.delete(one.name);
    this.#types.set(type.name, type);
    this.#lastId = Math.max(this.#lastId, type.id + 1);
  }

  removeType(name: string): void {
    this.#types.delete(name);
  }

  schemas(): readonly string[] {
    return [PUBLIC_SCHEMA, ...this.#schemas.keys()];
  }

  schemaId(name: string): number | undefined {
    return this.#schemas.get(name);
  }

  addSchema(name: string, id: number): void {
    this.#schemas.set(name, id);
    this.#lastId = Math.max(this.#lastId, id);
  }

  removeSchema(name: string): void {
    this.#schemas.delete(name);
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

  /** The stream that this sink feeds. */
  findByFeeder(id: number): LiveRelation | undefined {
    return this.live().find(({ detail }) => detail.feederId === id);
  }

  put(entry: LiveRelation): void {
    this.#referrers = undefined;
    this.#byName.set(entry.relation.name, entry);
    this.#lastId = Math.max(this.#lastId, entry.relation.id);
  }

  remove(name: string): void {
    this.#referrers = undefined;
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

  /** The relation that has this index, also one that a constraint made. */
  withIndex(key: string): LiveRelation | undefined {
    return this.live().find(({ relation }) => indexNames(this, relation).includes(key));
  }

  /** Foreign keys whose target is `name`, also those of the table itself. */
  referring(name: string): readonly Referrer[] {
    if (this.#referrers === undefined) {
      const found = new Map<string, Referrer[]>();
      for (const relation of this.relations()) {
        if (relation.kind !== 'table') continue;
        for (const [number, reference] of (relation.references ?? []).entries()) {
          const known = found.get(reference.target) ?? [];
          known.push({ relation, number, reference });
          found.set(reference.target, known);
        }
      }
      this.#referrers = found;
    }
    return this.#referrers.get(name) ?? [];
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
