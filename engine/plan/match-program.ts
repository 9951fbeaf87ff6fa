/**
 * Row patterns as programs for a backtracking machine (Thompson's construction, with the order of preference in the
 * order of a split's branches, as in Cox, "Regular Expression Matching: the Virtual Machine Approach", 2009).
 */
import { assertNever } from '../../sql/base/assert.ts';
import type { BoundPattern } from '../../sql/row-pattern.ts';

export type Instruction =
  /** Takes a row for which the variable's condition holds. */
  | { readonly kind: 'row'; readonly variable: number; readonly excluded: boolean }
  /** Goes on at `first`; when nothing comes of that, at `second`. */
  | { readonly kind: 'split'; readonly first: number; readonly second: number }
  | { readonly kind: 'jump'; readonly to: number }
  /** Before the partition's first row; behind its last one. */
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'accept' };

export interface Program {
  readonly instructions: readonly Instruction[];
  /** 1 where several ways lead to: the second one to come there with the same past is in vain. */
  readonly joins: Uint8Array;
}

/** The binder has made sure that the pattern has a size (`patternSize`). */
export function compilePattern(pattern: BoundPattern): Program {
  const writer = new ProgramWriter();
  writer.write(pattern, false);
  const instructions = writer.finish();
  return { instructions, joins: joinsOf(instructions) };
}

function joinsOf(instructions: readonly Instruction[]): Uint8Array {
  const ways = new Uint32Array(instructions.length + 1);
  const lead = (to: number): void => {
    ways[to] = (ways[to] as number) + 1;
  };
  lead(0);
  instructions.forEach((instruction, at) => {
    if (instruction.kind === 'jump') lead(instruction.to);
    else if (instruction.kind === 'split') {
      lead(instruction.first);
      lead(instruction.second);
    } else if (instruction.kind !== 'accept') lead(at + 1);
  });
  return Uint8Array.from(instructions, (_, at) => ((ways[at] as number) > 1 ? 1 : 0));
}

class ProgramWriter {
  readonly #instructions: Instruction[] = [];

  finish(): readonly Instruction[] {
    this.#add({ kind: 'accept' });
    return this.#instructions;
  }

  write(pattern: BoundPattern, excluded: boolean): void {
    switch (pattern.kind) {
      case 'variable':
        this.#add({ kind: 'row', variable: pattern.variable, excluded });
        break;
      case 'sequence':
        for (const item of pattern.items) this.write(item, excluded);
        break;
      case 'alternation':
        this.#alternatives(pattern.items.map((item) => () => this.write(item, excluded)));
        break;
      case 'permute':
        this.#permute([], pattern.items, excluded);
        break;
      case 'empty':
        break;
      case 'start':
      case 'end':
        this.#add({ kind: pattern.kind });
        break;
      case 'exclusion':
        this.write(pattern.pattern, true);
        break;
      case 'quantified':
        this.#repeat(pattern, excluded);
        break;
      default:
        assertNever(pattern);
    }
  }

  #add(instruction: Instruction): number {
    return this.#instructions.push(instruction) - 1;
  }

  get #end(): number {
    return this.#instructions.length;
  }

  /** The first one is preferred to the second, and so on. */
  #alternatives(writes: readonly (() => void)[]): void {
    const jumps: number[] = [];
    writes.forEach((write, i) => {
      if (i === writes.length - 1) {
        write();
        return;
      }
      const split = this.#add({ kind: 'split', first: 0, second: 0 });
      write();
      jumps.push(this.#add({ kind: 'jump', to: 0 }));
      this.#instructions[split] = { kind: 'split', first: split + 1, second: this.#end };
    });
    for (const jump of jumps) this.#instructions[jump] = { kind: 'jump', to: this.#end };
  }

  /** Orders are preferred as they come in the dictionary, the items being in alphabetical order. */
  #permute(
    chosen: readonly BoundPattern[],
    left: readonly BoundPattern[],
    excluded: boolean,
  ): void {
    if (left.length === 0) {
      for (const item of chosen) this.write(item, excluded);
      return;
    }
    this.#alternatives(
      left.map((item, i) => () => {
        this.#permute([...chosen, item], left.toSpliced(i, 1), excluded);
      }),
    );
  }

  #repeat(
    { pattern, min, max, reluctant }: BoundPattern & { readonly kind: 'quantified' },
    excluded: boolean,
  ): void {
    for (let i = 0; i < min; i++) this.write(pattern, excluded);
    const split = (at: number, exit: number): void => {
      this.#instructions[at] = reluctant
        ? { kind: 'split', first: exit, second: at + 1 }
        : { kind: 'split', first: at + 1, second: exit };
    };
    if (max === undefined) {
      // A round that takes no row comes back to the same place, where it ends, since that is a join.
      const loop = this.#add({ kind: 'split', first: 0, second: 0 });
      this.write(pattern, excluded);
      this.#add({ kind: 'jump', to: loop });
      split(loop, this.#end);
      return;
    }
    const splits: number[] = [];
    for (let i = min; i < max; i++) {
      splits.push(this.#add({ kind: 'split', first: 0, second: 0 }));
      this.write(pattern, excluded);
    }
    for (const at of splits) split(at, this.#end);
  }
}
