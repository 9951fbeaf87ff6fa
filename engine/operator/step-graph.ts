import type { Batch } from '../delta/batch.ts';
import type { PhysicalNode } from '../plan/physical-node.ts';
import type { Saved } from '../state/saved.ts';
import type { Emit, Operator } from './operator.ts';

interface Reader {
  readonly operator: Operator;
  readonly port: number;
  readonly emit: Emit;
}

/**
 * The operators of a recursive query's step, which run several times an epoch. Leaves are the query's own rows and the
 * results of operators outside, which are pushed in.
 */
export class StepGraph {
  readonly #nodes: { readonly operator: Operator; readonly emit: Emit }[] = [];
  readonly #readers = new Map<PhysicalNode, Reader[]>();
  readonly #reference: Reader[] = [];
  readonly #outside: readonly (readonly Reader[])[];

  /**
   * @param outside  nodes that do not depend on the query's own rows, by the number that they are pushed under.
   * @param build    makes an operator of a node.
   * @param take     gets what the step gives.
   */
  constructor(
    root: PhysicalNode,
    outside: readonly PhysicalNode[],
    build: (node: PhysicalNode) => Operator,
    take: Emit,
  ) {
    this.#add(root, new Set(outside), build, take);
    this.#outside = outside.map((node) => this.#readers.get(node) ?? []);
  }

  #add(
    node: PhysicalNode,
    outside: ReadonlySet<PhysicalNode>,
    build: (node: PhysicalNode) => Operator,
    take: Emit | undefined,
  ): void {
    if (this.#readers.has(node)) return;
    const readers: Reader[] = node.kind === 'recursive-reference' ? this.#reference : [];
    this.#readers.set(node, readers);
    if (node.kind === 'recursive-reference' || outside.has(node)) return;
    for (const input of node.inputs) this.#add(input, outside, build, undefined);
    const operator = build(node);
    const emit: Emit = (batch) => {
      if (batch.length === 0) return;
      take?.(batch);
      send(readers, batch);
    };
    this.#nodes.push({ operator, emit });
    node.inputs.forEach((input, port) => {
      this.#readers.get(input)?.push({ operator, port, emit });
    });
  }

  pushOutside(number: number, batch: Batch): void {
    send(this.#outside[number] ?? [], batch);
  }

  pushReference(batch: Batch): void {
    send(this.#reference, batch);
  }

  /** Inputs before readers. */
  flush(): void {
    for (const { operator, emit } of this.#nodes) operator.flush(emit);
  }

  stateBytes(): number {
    return this.#nodes.reduce((sum, { operator }) => sum + operator.stateBytes(), 0);
  }

  stateEntries(): number {
    return this.#nodes.reduce((sum, { operator }) => sum + operator.stateEntries(), 0);
  }

  savedParts(): readonly Saved[] {
    return this.#nodes.flatMap(({ operator }) => operator.savedParts());
  }
}

function send(readers: readonly Reader[], batch: Batch): void {
  for (const { operator, port, emit } of readers) operator.push(port, batch, emit);
}
