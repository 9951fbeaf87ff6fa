import { ScriptEngine } from './script-engine.ts';

/** The script engine of a database, which is loaded when the first function needs it. */
export class Scripts {
  readonly #now: () => number;
  #engine: Promise<ScriptEngine> | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  engine(): Promise<ScriptEngine> {
    this.#engine ??= ScriptEngine.load(this.#now);
    return this.#engine;
  }
}
