/** Which function has which sandbox: some sandboxes for any number of functions. */
import {
  type Argument,
  type Outcome,
  type Program,
  type Sandbox,
  SandboxFactory,
} from './sandbox.ts';

/** Sandboxes of one database. When more functions are in use, they take turns in them, which costs milliseconds each. */
export const SANDBOXES_MAX = 16;
/** Made before the first function runs; others follow when they are missed. */
const SANDBOXES_READY = 2;

const NO_SANDBOX: Outcome = { kind: 'limit', of: 'stack' };

export class ScriptEngine {
  readonly #factory: SandboxFactory;
  /** Whose program each runs, in the order of their last use. */
  readonly #sandboxes: Map<Sandbox, Script | undefined>;
  #isMaking = false;

  private constructor(factory: SandboxFactory, sandboxes: readonly Sandbox[]) {
    this.#factory = factory;
    this.#sandboxes = new Map(sandboxes.map((sandbox) => [sandbox, undefined]));
  }

  /** @param now  milliseconds of a clock that does not jump. */
  static async load(now: () => number): Promise<ScriptEngine> {
    const factory = await SandboxFactory.load(now);
    const sandboxes: Sandbox[] = [];
    while (sandboxes.length < SANDBOXES_READY) sandboxes.push(await factory.make());
    return new ScriptEngine(factory, sandboxes);
  }

  script(program: Program): Script {
    return new Script(this, program);
  }

  /** For scripts: a sandbox for a program that has none. */
  take(script: Script): Sandbox | undefined {
    const free = [...this.#sandboxes].find(([, owner]) => owner === undefined)?.[0];
    if (free === undefined) this.#makeAnother();
    const [oldest] = this.#sandboxes.keys();
    const sandbox = free ?? oldest;
    if (sandbox === undefined) return undefined;
    this.#sandboxes.get(sandbox)?.leave();
    this.#move(sandbox, script);
    return sandbox;
  }

  touch(sandbox: Sandbox, script: Script): void {
    this.#move(sandbox, script);
  }

  release(sandbox: Sandbox): void {
    if (this.#sandboxes.has(sandbox)) this.#sandboxes.set(sandbox, undefined);
  }

  /** WebAssembly gave up in it. */
  discard(sandbox: Sandbox): void {
    this.#sandboxes.delete(sandbox);
    this.#makeAnother();
  }

  #move(sandbox: Sandbox, script: Script): void {
    this.#sandboxes.delete(sandbox);
    this.#sandboxes.set(sandbox, script);
  }

  #makeAnother(): void {
    if (this.#isMaking || this.#sandboxes.size >= SANDBOXES_MAX) return;
    this.#isMaking = true;
    const done = (): void => {
      this.#isMaking = false;
    };
    this.#factory.make().then(
      (sandbox) => {
        this.#sandboxes.set(sandbox, undefined);
        done();
      },
      // Without memory for another one those that there are take turns.
      done,
    );
  }
}

/** One program. */
export class Script {
  readonly #engine: ScriptEngine;
  readonly #program: Program;
  #sandbox: Sandbox | undefined;

  constructor(engine: ScriptEngine, program: Program) {
    this.#engine = engine;
    this.#program = program;
  }

  /** Reads the body. @returns why it is no program. */
  check(): Outcome | undefined {
    const sandbox = this.#engine.take(this);
    if (sandbox === undefined) return NO_SANDBOX;
    try {
      return sandbox.host(this.#program);
    } finally {
      this.#engine.release(sandbox);
    }
  }

  call(args: readonly Argument[]): Outcome {
    const known = this.#sandbox;
    if (known !== undefined) this.#engine.touch(known, this);
    const sandbox = known ?? this.#engine.take(this);
    if (sandbox === undefined) return NO_SANDBOX;
    try {
      if (known === undefined) {
        const refused = sandbox.host(this.#program);
        this.#sandbox = sandbox;
        if (refused !== undefined) return refused;
      }
      return sandbox.call(args);
    } catch (error) {
      if (!isBroken(error)) throw error;
      this.#sandbox = undefined;
      this.#engine.discard(sandbox);
      return NO_SANDBOX;
    }
  }

  /** Another program has its sandbox now. */
  leave(): void {
    this.#sandbox = undefined;
  }
}

/** WebAssembly gave up, or the host's stack overflowed inside of it: QuickJS was cut off in the middle of something. */
function isBroken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === 'RuntimeError' ||
    (error instanceof RangeError && error.message.includes('call stack'))
  );
}
