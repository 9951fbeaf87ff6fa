/** A rendered answer of a view poll. */
export interface CachedAnswer {
  readonly version: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** What an entry costs besides its body, in bytes; keeps many tiny answers within the bound too. */
const ENTRY_BYTES = 256;

/**
 * Answers of hot polls, so that thousands of clients asking for the same rows cost one read per version. The
 * least recently used go first when the bound in bytes is reached. One answer is rendered at a time per key: who asks
 * meanwhile waits for it.
 */
export class ViewCache {
  readonly #bytesMax: number;
  /** In order of use, oldest first. */
  readonly #answers = new Map<string, CachedAnswer>();
  readonly #rendering = new Map<string, Promise<CachedAnswer | undefined>>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Largest body worth keeping. */
  get bodyBytesMax(): number {
    return Math.floor(this.#bytesMax / 8);
  }

  get(key: string, version: number): CachedAnswer | undefined {
    const answer = this.#answers.get(key);
    if (answer === undefined) return undefined;
    if (answer.version !== version) {
      this.#drop(key, answer);
      return undefined;
    }
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    return answer;
  }

  put(key: string, answer: CachedAnswer): void {
    if (answer.body.length > this.bodyBytesMax) return;
    const old = this.#answers.get(key);
    if (old !== undefined) this.#drop(key, old);
    this.#answers.set(key, answer);
    this.#bytes += sizeOf(key, answer);
    for (const [oldest, value] of this.#answers) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#drop(oldest, value);
    }
  }

  /** The answer that someone else is rendering for `key` now. */
  pending(key: string): Promise<CachedAnswer | undefined> | undefined {
    return this.#rendering.get(key);
  }

  /** Announces that `key` is being rendered; `settle` says with what result. */
  announce(key: string): (answer: CachedAnswer | undefined) => void {
    const { promise, resolve } = Promise.withResolvers<CachedAnswer | undefined>();
    this.#rendering.set(key, promise);
    return (answer) => {
      if (this.#rendering.get(key) === promise) this.#rendering.delete(key);
      resolve(answer);
    };
  }

  #drop(key: string, answer: CachedAnswer): void {
    this.#answers.delete(key);
    this.#bytes -= sizeOf(key, answer);
  }
}

function sizeOf(key: string, answer: CachedAnswer): number {
  return ENTRY_BYTES + key.length * 2 + answer.body.length;
}
