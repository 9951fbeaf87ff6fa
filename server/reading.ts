/** Whose uncommitted rows a query sees over those that are committed: a transaction's, or what it had written at some time. */
import type { Relation } from '../sql/catalog.ts';
import type { WeightedRow } from './table-draft.ts';

export interface Overlay {
  changes(): Iterable<WeightedRow>;
}

export interface Reading {
  /** Called for every relation of a query before it runs. */
  reads(relations: readonly Relation[]): Promise<void>;
  /** What changes the relation's committed rows; undefined for nothing. */
  overlay(relation: Relation): Overlay | undefined;
  /** Called when a query has its snapshot. @throws StreamError TRANSACTION_CONFLICT when it is not the transaction's. */
  hasRead(relations: readonly Relation[]): Promise<void>;
}
