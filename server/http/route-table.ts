/** Which methods a path takes, to tell a wrong method (405) from an unknown path (404). */
export class RouteTable {
  readonly #routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];

  /** @param url  as fastify writes it: `/v1/views/:name`. */
  add(url: string, method: string | readonly string[]): void {
    const source = url
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]+' : part.replaceAll('.', '\\.')))
      .join('/');
    const methods = typeof method === 'string' ? [method] : method;
    this.#routes.push({ pattern: new RegExp(`^${source}/?$`), methods });
  }

  methodsOf(path: string): readonly string[] {
    const found = this.#routes.filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => methods))].sort();
  }
}
