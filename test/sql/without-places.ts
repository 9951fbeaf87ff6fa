/** A syntax tree without its spans and without how names were quoted, for comparing trees. */
export function withoutPlaces(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutPlaces);
  if (typeof node !== 'object' || node === null) return node;
  const kept = Object.entries(node).filter(
    ([key]) => key !== 'span' && key !== 'opSpan' && key !== 'quoted',
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutPlaces(value)]));
}
