/**
 * A piece of generated JavaScript in the making. Text of users never enters it: values are numbers,
 * or constants of a table that the code names by position.
 */
export class Code {
  readonly #lines: string[] = [];
  readonly #constants: unknown[] = [];
  readonly #constantNames = new Map<unknown, string>();
  #names = 0;
  #indent = 1;
  /** What is known at this point of the code, one map a block: inner blocks see the outer ones. */
  readonly #known: Map<unknown, unknown>[] = [new Map()];

  line(text: string): void {
    this.#lines.push(`${'  '.repeat(this.#indent)}${text}`);
  }

  /** A name that was not given out before. */
  fresh(prefix = 'v'): string {
    return `${prefix}${this.#names++}`;
  }

  /** The name of a constant; the same object is stored once. */
  constant(value: unknown): string {
    const known = this.#constantNames.get(value);
    if (known !== undefined) return known;
    const name = `k${this.#constants.length}`;
    this.#constants.push(value);
    this.#constantNames.set(value, name);
    return name;
  }

  /** Declares a local that never changes. */
  local(expression: string): string {
    const name = this.fresh();
    this.line(`const ${name} = ${expression};`);
    return name;
  }

  /** `head { … }`; what body learns is forgotten behind it. */
  block(head: string, body: () => void): void {
    this.line(`${head}{`);
    this.#indent++;
    this.#known.push(new Map());
    body();
    this.#known.pop();
    this.#indent--;
    this.line('}');
  }

  remember(key: unknown, value: unknown): void {
    this.#known.at(-1)?.set(key, value);
  }

  recall(key: unknown): unknown {
    for (let depth = this.#known.length - 1; depth >= 0; depth--) {
      const value = this.#known[depth]?.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  get constants(): readonly unknown[] {
    return this.#constants;
  }

  /** Declarations of the constants, to stand in front of the code. */
  constantDeclarations(table: string): string {
    if (this.#constants.length === 0) return '';
    return `const ${this.#constants.map((_, i) => `k${i} = ${table}[${i}]`).join(', ')};`;
  }

  text(): string {
    return this.#lines.join('\n');
  }
}
