/** Owners by the time at which each has something to do; the earliest first, of equal times the lowest number. */
export class TimeHeap {
  readonly #times: bigint[] = [];
  readonly #owners: number[] = [];

  get size(): number {
    return this.#times.length;
  }

  add(time: bigint, owner: number): void {
    let at = this.#times.length;
    this.#times.push(time);
    this.#owners.push(owner);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Takes out the earliest owner, if its time is at most `limit`. */
  pop(limit: bigint): number | undefined {
    const first = this.#times[0];
    if (first === undefined || first > limit) return undefined;
    const owner = this.#owners[0];
    this.#swap(0, this.#times.length - 1);
    this.#times.pop();
    this.#owners.pop();
    this.#sink();
    return owner;
  }

  clear(): void {
    this.#times.length = 0;
    this.#owners.length = 0;
  }

  #sink(): void {
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#times.length && this.#isBefore(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(left: number, right: number): boolean {
    const a = this.#times[left] as bigint;
    const b = this.#times[right] as bigint;
    return a === b ? (this.#owners[left] as number) < (this.#owners[right] as number) : a < b;
  }

  #swap(left: number, right: number): void {
    const time = this.#times[left] as bigint;
    const owner = this.#owners[left] as number;
    this.#times[left] = this.#times[right] as bigint;
    this.#owners[left] = this.#owners[right] as number;
    this.#times[right] = time;
    this.#owners[right] = owner;
  }
}
