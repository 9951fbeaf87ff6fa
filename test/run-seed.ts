/** The seed of this run; tests with a generator of their own start from it too, so that a new seed tries something new. */
const SEED_DEFAULT = 1;

export const RUN_SEED = Number(process.env.MILLRACE_TEST_SEED ?? SEED_DEFAULT);

/** `count` seeds of their own for this run: 1 to `count` for the default seed. */
export function seedsOf(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => (RUN_SEED - 1) * count + i + 1);
}
