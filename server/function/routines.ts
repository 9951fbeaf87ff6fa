import type { RoutineCatalog } from '../../sql/catalog.ts';
import type { Routine } from '../../sql/routine.ts';
import { sameBaseType } from '../../sql/type-category.ts';

/** The user-defined functions and aggregates of a database. */
export class Routines implements RoutineCatalog {
  readonly #byName = new Map<string, readonly Routine[]>();

  named(name: string): readonly Routine[] {
    return this.#byName.get(name) ?? [];
  }

  all(): readonly Routine[] {
    return [...this.#byName.values()].flat().sort((a, b) => a.id - b.id);
  }

  /** In the place of the one with the same argument types, if there is one. */
  put(routine: Routine): void {
    const others = this.named(routine.name).filter((one) => !sameParameters(one, routine));
    this.#byName.set(routine.name, [...others, routine]);
  }

  remove({ name, id }: Routine): void {
    const others = this.named(name).filter((one) => one.id !== id);
    if (others.length > 0) this.#byName.set(name, others);
    else this.#byName.delete(name);
  }
}

type WithParameters = Pick<Routine, 'parameters'>;

export const sameParameters = (left: WithParameters, right: WithParameters): boolean =>
  left.parameters.length === right.parameters.length &&
  left.parameters.every(({ type }, i) => {
    const other = right.parameters[i]?.type;
    return other !== undefined && sameBaseType(type, other);
  });
