/** Random choices from one seed; the same seed gives the same choices. */
import { generator } from '../differential/view-history.ts';

export class Dice {
  readonly #random: (below: number) => number;

  constructor(seed: number) {
    this.#random = generator(seed);
  }

  /** 0 … below - 1. */
  below(below: number): number {
    return this.#random(below);
  }

  between(low: number, high: number): number {
    return low + this.#random(high - low + 1);
  }

  chance(percent: number): boolean {
    return this.#random(100) < percent;
  }

  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new Error('nothing to pick from');
    return items[this.#random(items.length)] as Item;
  }

  /** One of several makers, each as often as its weight says. */
  weighted<Result>(makers: readonly (readonly [weight: number, make: () => Result])[]): Result {
    let at = this.#random(makers.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, make] of makers) {
      at -= weight;
      if (at < 0) return make();
    }
    throw new Error('the weights are not positive');
  }

  times<Item>(count: number, make: (index: number) => Item): Item[] {
    return Array.from({ length: count }, (_, i) => make(i));
  }

  shuffled<Item>(items: readonly Item[]): Item[] {
    const left = [...items];
    return items.map(() => left.splice(this.#random(left.length), 1)[0] as Item);
  }
}
