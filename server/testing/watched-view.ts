import type { Row } from '../../sql/base/datum.ts';
import type { Database, Subscription } from '../database.ts';

/** Everything that has come into a view and left it, since it was first looked at. */
export class WatchedView {
  readonly #subscription: Subscription;
  #version = -1;
  #isOver = false;
  #wake = Promise.withResolvers<void>();
  /** Not yet asked for. */
  #came: Row[] = [];
  #left: Row[] = [];
  #failure: unknown;

  private constructor(subscription: Subscription) {
    this.#subscription = subscription;
    this.#read().then(
      () => this.#end(undefined),
      (cause) => this.#end(cause),
    );
  }

  static async of(database: Database, view: string): Promise<WatchedView> {
    return new WatchedView(await database.subscribe({ view, since: undefined, snapshot: true }));
  }

  /** The view was dropped. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get schema() {
    return this.#subscription.schema;
  }

  async #read(): Promise<void> {
    for await (const event of this.#subscription.events) {
      if (event.kind === 'snapshot') {
        this.#came.push(...event.rows);
        if (event.last) this.#reach(event.version);
        continue;
      }
      for (const change of event.changes) {
        if (change.op === 'insert') this.#came.push(change.row);
        else if (change.op === 'delete') this.#left.push(change.row);
        else {
          this.#left.push(change.before);
          this.#came.push(change.row);
        }
      }
      this.#reach(event.version);
    }
  }

  #reach(version: number): void {
    this.#version = version;
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  #end(cause: unknown): void {
    this.#failure = cause;
    this.#isOver = true;
    this.#wake.resolve();
  }

  /** Settles when all changes up to a version of the view are here. */
  async reached(version: number): Promise<void> {
    while (this.#version < version && !this.#isOver) await this.#wake.promise;
    if (this.#failure !== undefined) throw this.#failure;
  }

  takeCame(): readonly Row[] {
    return this.#came.splice(0);
  }

  takeLeft(): readonly Row[] {
    return this.#left.splice(0);
  }

  close(): void {
    this.#subscription.close();
  }
}
