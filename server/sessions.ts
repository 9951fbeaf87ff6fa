/** Sessions by name. Map order is order of use: the first one was unused for longest. */
import { StreamError } from '../sql/base/error.ts';
import type { Core } from './core.ts';
import type { SessionLimits } from './session-limits.ts';
import { SqlSession } from './sql-session.ts';

/** How often idle sessions are looked for, as a part of the time that they may be idle. */
const SWEEPS_PER_IDLE_TIME = 10;

interface Named {
  readonly session: SqlSession;
  usedMs: number;
}

export class Sessions {
  readonly #core: Core;
  readonly #limits: SessionLimits;
  readonly #named = new Map<string, Named>();
  readonly #sweep: NodeJS.Timeout;

  constructor(core: Core, limits: SessionLimits) {
    this.#core = core;
    this.#limits = limits;
    const everyMs = Math.max(1, Math.ceil(limits.sessionIdleMsMax / SWEEPS_PER_IDLE_TIME));
    this.#sweep = setInterval(() => this.#forgetIdle(), everyMs);
    this.#sweep.unref();
  }

  /** @throws StreamError SESSIONS_EXHAUSTED when all are busy. */
  get(name: string | undefined): SqlSession {
    if (name === undefined) return new SqlSession(this.#core, this.#limits);
    const known = this.#named.get(name);
    if (known === undefined) this.#makeRoom();
    const session = known?.session ?? new SqlSession(this.#core, this.#limits);
    this.#named.delete(name);
    this.#named.set(name, { session, usedMs: performance.now() });
    return session;
  }

  #makeRoom(): void {
    if (this.#named.size < this.#limits.sessionsMax) return;
    for (const [name, { session }] of this.#named) {
      if (session.isBusy) continue;
      session.close();
      this.#named.delete(name);
      return;
    }
    throw new StreamError(
      'SESSIONS_EXHAUSTED',
      `all ${this.#limits.sessionsMax} sessions are in use`,
    );
  }

  #forgetIdle(): void {
    const oldest = performance.now() - this.#limits.sessionIdleMsMax;
    for (const [name, { session, usedMs }] of this.#named) {
      if (usedMs > oldest || session.isBusy) continue;
      session.close();
      this.#named.delete(name);
    }
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const { session } of this.#named.values()) session.close(true);
    this.#named.clear();
  }
}
