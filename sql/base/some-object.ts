/** Whether an object of a tree of plain data passes the test. Objects that several places share are looked at once. */
export function someObject(root: unknown, test: (object: object) => boolean): boolean {
  const seen = new Set<object>();
  const visit = (value: unknown): boolean => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return false;
    seen.add(value);
    return test(value) || Object.values(value).some(visit);
  };
  return visit(root);
}
