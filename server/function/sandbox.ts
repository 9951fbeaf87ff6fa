/**
 * QuickJS in WebAssembly, where functions of users run: they reach nothing of the host, and what they may take is bounded. The
 * only file that knows the engine.
 *
 * A sandbox is one instance with a memory of fixed size, which is the bound: QuickJS itself cannot tell how much it holds when it is
 * compiled by Emscripten (justjake/quickjs-emscripten #271). All that an instance is lies in that memory, so that it is set back
 * by copying what the memory was.
 */
import { readFileSync } from 'node:fs';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import { assert } from '../../sql/base/assert.ts';
import { PRELUDE } from './prelude.ts';

/** The engine asks whether to go on every so many steps: loops, calls and attempts of regular expressions. */
const STEPS_PER_QUESTION = 10_000;
/** Steps of one call; about a tenth of a second. A count, not a time: a row must get the same answer whenever it is computed. */
export const CALL_STEPS_MAX = 2_000_000;
const QUESTIONS_MAX = CALL_STEPS_MAX / STEPS_PER_QUESTION;
/** For calls whose steps are long ones (searches in long texts), looked at when the engine asks. */
export const CALL_MS_MAX = 5_000;
/** Of one function: the engine, its program, its arguments and what a call makes of them. */
export const MEMORY_BYTES_MAX = 16 * 1024 * 1024;
const PAGE_BYTES = 64 * 1024;
const STACK_BYTES_MAX = 256 * 1024;

const ENGINE = '@jitl/quickjs-wasmfile-release-sync';

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

/** Makes sandboxes, of an engine that is compiled once. */
export class SandboxFactory {
  readonly #variant: QuickJSSyncVariant;
  readonly #wasm: WebAssembly.Module;
  readonly #now: () => number;

  private constructor(variant: QuickJSSyncVariant, wasm: WebAssembly.Module, now: () => number) {
    this.#variant = variant;
    this.#wasm = wasm;
    this.#now = now;
  }

  /** @param now  milliseconds of a clock that does not jump. */
  static async load(now: () => number): Promise<SandboxFactory> {
    const wasm = readFileSync(new URL(import.meta.resolve(`${ENGINE}/wasm`)));
    const { default: loaded } = await import(ENGINE);
    return new SandboxFactory(loaded as QuickJSSyncVariant, new WebAssembly.Module(wasm), now);
  }

  async make(): Promise<Sandbox> {
    const pages = MEMORY_BYTES_MAX / PAGE_BYTES;
    const wasmMemory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const variant = newVariant(this.#variant, { wasmModule: this.#wasm, wasmMemory });
    const module = await newQuickJSWASMModuleFromVariant(variant);
    return new Sandbox(module, new Uint8Array(wasmMemory.buffer), this.#now);
  }
}

/** One instance of the engine, which runs one program at a time. */
export class Sandbox {
  readonly #memory: Uint8Array;
  readonly #context: QuickJSContext;
  readonly #make: QuickJSHandle;
  /** The memory before any program. */
  readonly #empty: Uint8Array;
  readonly #now: () => number;
  #function: QuickJSHandle | undefined;
  /** The memory with the program, before any call. */
  #fresh: Uint8Array;
  #isFresh = true;
  #givesNumbers = false;
  #questions = 0;
  #startMs = 0;

  constructor(module: QuickJSWASMModule, memory: Uint8Array, now: () => number) {
    this.#memory = memory;
    this.#now = now;
    const runtime = module.newRuntime();
    runtime.setMaxStackSize(STACK_BYTES_MAX);
    runtime.setInterruptHandler(() => this.#isOver());
    this.#context = runtime.newContext();
    this.#startCount();
    this.#make = this.#context.unwrapResult(this.#context.evalCode(PRELUDE, 'prelude'));
    this.#empty = usedPart(memory);
    this.#fresh = this.#empty;
  }

  /** Takes a program in the place of the one before. @returns why it is none. */
  host(program: Program): Outcome | undefined {
    const context = this.#context;
    this.#restore(this.#empty);
    this.#startCount();
    this.#givesNumbers = program.rowsMax === undefined && NUMBERS.has(program.result);
    const json = context.newString(JSON.stringify(program));
    const made = context.callFunction(this.#make, context.undefined, json);
    json.dispose();
    if (made.error !== undefined) {
      this.#function = undefined;
      return this.#failure(made.error);
    }
    this.#function = made.value;
    this.#fresh = usedPart(this.#memory);
    this.#isFresh = true;
    return undefined;
  }

  /**
   * What is left of earlier calls (garbage, the part of a question's steps) may make one call fail that would not fail alone, so
   * that one that meets a limit is made again as if it were the first, and its verdict depends on the arguments alone.
   * @throws RuntimeError of WebAssembly, after which the sandbox is of no use.
   */
  call(args: readonly Argument[]): Outcome {
    const wasFresh = this.#isFresh;
    const outcome = this.#attempt(args);
    // The steps that were left of the question before may have saved this call one question.
    const isNear = outcome.kind === 'limit' || this.#questions >= QUESTIONS_MAX - 1;
    if (wasFresh || !isNear) return this.#settled(outcome);
    this.#restore(this.#fresh);
    return this.#settled(this.#attempt(args));
  }

  #settled(outcome: Outcome): Outcome {
    if (outcome.kind === 'limit') this.#restore(this.#fresh);
    return outcome;
  }

  #attempt(args: readonly Argument[]): Outcome {
    assert(this.#function !== undefined, 'a function was made of its body');
    const context = this.#context;
    this.#isFresh = false;
    const handles = args.map((arg) => this.#handleOf(arg));
    this.#startCount();
    const answer = context.callFunction(this.#function, context.undefined, ...handles);
    for (const handle of handles) handle.dispose();
    if (answer.error !== undefined) return this.#failure(answer.error);
    const value = this.#valueOf(answer.value);
    answer.value.dispose();
    return { kind: 'value', value };
  }

  #restore(used: Uint8Array): void {
    this.#memory.set(used);
    this.#memory.fill(0, used.length);
    this.#isFresh = used === this.#fresh;
  }

  #startCount(): void {
    this.#questions = 0;
    this.#startMs = this.#now();
  }

  #isOver(): boolean {
    this.#questions++;
    return this.#questions >= QUESTIONS_MAX || this.#now() - this.#startMs > CALL_MS_MAX;
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

const LIMITS: ReadonlyMap<string, (Outcome & { readonly kind: 'limit' })['of']> = new Map([
  ['interrupted', 'time'],
  ['out of memory', 'memory'],
  ['string too long', 'memory'],
  ['stack overflow', 'stack'],
]);

function textOf(context: QuickJSContext, value: QuickJSHandle): string {
  return context.typeof(value) === 'symbol' ? 'a symbol' : context.getString(value);
}

/** A copy of the memory up to its last byte that is not zero. */
function usedPart(memory: Uint8Array): Uint8Array {
  const words = new Int32Array(memory.buffer);
  let end = words.length;
  while (end > 0 && words[end - 1] === 0) end--;
  return memory.slice(0, end * 4);
}
