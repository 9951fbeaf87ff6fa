/**
 * QuickJS in WebAssembly, where functions of users run: they reach nothing of the host, and what they may take is bounded. The
 * only file that knows the engine.
 */
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import { assert } from '../../sql/base/assert.ts';
import { PRELUDE } from './prelude.ts';

/** The engine asks whether to go on every so many steps: loops, calls and attempts of regular expressions. */
const STEPS_PER_QUESTION = 10_000;
/** Steps of one call; about a tenth of a second. A count, not a time: a row must get the same answer whenever it is computed. */
export const CALL_STEPS_MAX = 2_000_000;
/** For calls whose steps are long ones (searches in long texts), looked at when the engine asks. */
export const CALL_MS_MAX = 5_000;
/** Of one function: its program, its arguments and what a call makes of them. */
export const MEMORY_BYTES_MAX = 16 * 1024 * 1024;
const STACK_BYTES_MAX = 256 * 1024;
/** Sandboxes that are alive; the one that was not used for longest goes, and is made again when it is called. */
export const SANDBOXES_MAX = 32;

/** How a value is written on its way in or out; see the prelude. */
export type Form =
  | 'n'
  | 'i'
  | 'b'
  | 'l'
  | 'd'
  | 's'
  | 't'
  | 'j'
  | 'x'
  | readonly ['[', Form]
  | readonly ['{', readonly (readonly [name: string, form: Form])[]];

export interface Program {
  readonly names: readonly string[];
  readonly forms: readonly Form[];
  readonly result: Form;
  readonly body: string;
  /** Set for a function that gives rows: how many at most. */
  readonly rowsMax?: number | undefined;
}

export type Argument = number | string | boolean | null;

export type Outcome =
  /** Undefined for NULL. */
  | { readonly kind: 'value'; readonly value: number | string | undefined }
  | { readonly kind: 'thrown'; readonly name: string; readonly message: string }
  | { readonly kind: 'limit'; readonly of: 'time' | 'memory' | 'stack' };

const loadModule = (): Promise<QuickJSWASMModule> =>
  newQuickJSWASMModuleFromVariant(import('@jitl/quickjs-wasmfile-release-sync'));

/** The engine's modules: one that runs, and one that takes its place when WebAssembly gives up on it. */
export class ScriptEngine {
  /** Undefined while the next one is being loaded, which only two failures in one turn of the event loop can meet. */
  #module: QuickJSWASMModule | undefined;
  #spare: QuickJSWASMModule | undefined;
  readonly #now: () => number;
  /** In the order of their last use. */
  readonly #live = new Set<Script>();

  private constructor(modules: readonly [QuickJSWASMModule, QuickJSWASMModule], now: () => number) {
    [this.#module, this.#spare] = modules;
    this.#now = now;
  }

  /** @param now  milliseconds of a clock that does not jump. */
  static async load(now: () => number): Promise<ScriptEngine> {
    return new ScriptEngine([await loadModule(), await loadModule()], now);
  }

  script(program: Program): Script {
    return new Script(this, program);
  }

  /** For scripts only. @returns undefined when there is no module to run it. */
  start(script: Script, program: Program): Sandbox | undefined {
    if (this.#module === undefined) return undefined;
    this.#live.delete(script);
    for (const oldest of this.#live) {
      if (this.#live.size < SANDBOXES_MAX) break;
      oldest.stop();
    }
    this.#live.add(script);
    return new Sandbox(this.#module, program, this.#now);
  }

  touch(script: Script): void {
    this.#live.delete(script);
    this.#live.add(script);
  }

  forget(script: Script): void {
    this.#live.delete(script);
  }

  /** WebAssembly gave up: nothing in the module can be used any more. */
  replaceModule(): void {
    for (const script of this.#live) script.abandon();
    this.#live.clear();
    this.#module = this.#spare;
    this.#spare = undefined;
    loadModule().then(
      (module) => {
        if (this.#module === undefined) this.#module = module;
        else this.#spare = module;
      },
      // Without memory for another one there is none in reserve.
      () => {},
    );
  }

  close(): void {
    for (const script of [...this.#live]) script.stop();
  }
}

/** One program, in a sandbox of its own that is made when it is first called. */
export class Script {
  readonly #engine: ScriptEngine;
  readonly #program: Program;
  #sandbox: Sandbox | undefined;

  constructor(engine: ScriptEngine, program: Program) {
    this.#engine = engine;
    this.#program = program;
  }

  /** Reads the body. @returns the syntax error, if it is no program. */
  check(): Outcome | undefined {
    try {
      this.#sandbox ??= this.#engine.start(this, this.#program);
      return this.#sandbox?.refused;
    } finally {
      this.stop();
    }
  }

  /**
   * What is left of earlier calls (garbage, the part of a question's steps) may make one call fail that would not fail alone, so
   * that one that meets a limit is made again in a new sandbox, whose verdict depends on the arguments alone.
   */
  call(args: readonly Argument[]): Outcome {
    const used = this.#sandbox;
    if (used !== undefined) {
      this.#engine.touch(this);
      const outcome = this.#attempt(used, args);
      if (outcome.kind !== 'limit') return outcome;
      this.stop();
    }
    const fresh = this.#engine.start(this, this.#program);
    this.#sandbox = fresh;
    return fresh === undefined ? { kind: 'limit', of: 'stack' } : this.#attempt(fresh, args);
  }

  #attempt(sandbox: Sandbox, args: readonly Argument[]): Outcome {
    try {
      return sandbox.call(args);
    } catch (error) {
      if (!isBroken(error)) throw error;
      this.#engine.replaceModule();
      return { kind: 'limit', of: 'stack' };
    }
  }

  stop(): void {
    this.#engine.forget(this);
    this.#sandbox?.close();
    this.#sandbox = undefined;
  }

  /** The sandbox is gone with its module. */
  abandon(): void {
    this.#sandbox = undefined;
  }
}

class Sandbox {
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #function: QuickJSHandle | undefined;
  /** Why there is no function. */
  readonly refused: Outcome | undefined;
  readonly #now: () => number;
  readonly #givesNumbers: boolean;
  #questions = 0;
  #startMs = 0;

  constructor(module: QuickJSWASMModule, program: Program, now: () => number) {
    this.#now = now;
    this.#givesNumbers = program.rowsMax === undefined && NUMBERS.has(program.result);
    this.#runtime = module.newRuntime();
    this.#runtime.setMemoryLimit(MEMORY_BYTES_MAX);
    this.#runtime.setMaxStackSize(STACK_BYTES_MAX);
    this.#context = this.#runtime.newContext();
    const context = this.#context;
    const make = context.unwrapResult(context.evalCode(PRELUDE, 'prelude'));
    this.#startCount();
    this.#runtime.setInterruptHandler(() => this.#isOver());
    const json = context.newString(JSON.stringify(program));
    const made = context.callFunction(make, context.undefined, json);
    json.dispose();
    make.dispose();
    if (made.error === undefined) {
      this.#function = made.value;
    } else {
      this.refused = this.#failure(made.error);
    }
  }

  /** @throws RuntimeError when the whole module is broken. */
  call(args: readonly Argument[]): Outcome {
    assert(this.#function !== undefined, 'a function was made of its body');
    const context = this.#context;
    const handles = args.map((arg) => this.#handleOf(arg));
    this.#startCount();
    const answer = context.callFunction(this.#function, context.undefined, ...handles);
    for (const handle of handles) handle.dispose();
    if (answer.error !== undefined) return this.#failure(answer.error);
    const value = this.#valueOf(answer.value);
    answer.value.dispose();
    return { kind: 'value', value };
  }

  close(): void {
    this.#function?.dispose();
    this.#context.dispose();
    this.#runtime.dispose();
  }

  #startCount(): void {
    this.#questions = 0;
    this.#startMs = this.#now();
  }

  #isOver(): boolean {
    this.#questions++;
    const isLong = this.#questions * STEPS_PER_QUESTION >= CALL_STEPS_MAX;
    return isLong || this.#now() - this.#startMs > CALL_MS_MAX;
  }

  #handleOf(arg: Argument): QuickJSHandle {
    const context = this.#context;
    if (typeof arg === 'number') return context.newNumber(arg);
    if (typeof arg === 'string') return context.newString(arg);
    if (arg === null) return context.null;
    return arg ? context.true : context.false;
  }

  /** The kind of a value is only asked for where it reads like that of undefined: a question crosses the border too. */
  #valueOf(handle: QuickJSHandle): number | string | undefined {
    const context = this.#context;
    const isNull = (): boolean => context.typeof(handle) === 'undefined';
    if (this.#givesNumbers) {
      const value = context.getNumber(handle);
      return Number.isNaN(value) && isNull() ? undefined : value;
    }
    const value = context.getString(handle);
    return value === 'undefined' && isNull() ? undefined : value;
  }

  /** Errors of the engine's own cannot be told from thrown ones but by their texts. */
  #failure(error: QuickJSHandle): Outcome {
    const context = this.#context;
    const read = (name: string): string | undefined => {
      const part = context.getProp(error, name);
      const text = context.typeof(part) === 'string' ? context.getString(part) : undefined;
      part.dispose();
      return text;
    };
    const isObject = context.typeof(error) === 'object';
    const name = isObject ? (read('name') ?? 'Error') : '';
    const message = isObject ? (read('message') ?? '') : textOf(context, error);
    error.dispose();
    const of = name === 'InternalError' ? LIMITS.get(message) : undefined;
    return of === undefined ? { kind: 'thrown', name, message } : { kind: 'limit', of };
  }
}

const NUMBERS: ReadonlySet<Form> = new Set(['n', 'i', 'b']);

/** WebAssembly gave up, or the host's stack overflowed inside of it: QuickJS was cut off in the middle of something. */
function isBroken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === 'RuntimeError' ||
    (error instanceof RangeError && error.message.includes('call stack'))
  );
}

function textOf(context: QuickJSContext, value: QuickJSHandle): string {
  return context.typeof(value) === 'symbol' ? 'a symbol' : context.getString(value);
}

const LIMITS: ReadonlyMap<string, (Outcome & { readonly kind: 'limit' })['of']> = new Map([
  ['interrupted', 'time'],
  ['out of memory', 'memory'],
  ['stack overflow', 'stack'],
]);
