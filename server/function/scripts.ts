import { ScriptEngine } from './script-engine.ts';

/** The script engine of a database, which is loaded when the first function needs it. */
export class Scripts {
  readonly #now: () => number;
  #engine: Promise<ScriptEngine> | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  engine(): Promise<ScriptEngine> {
    if (this.#engine === undefined) {
      const engine = ScriptEngine.load(this.#now);
      this.#engine = engine;
      // Whoever asked hears of it; the next one tries again.
      engine.catch(() => {
        this.#engine = undefined;
      });
    }
    return this.#engine;
  }
}
