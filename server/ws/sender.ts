import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WebSocket } from 'ws';

/** Close codes of RFC 6455 and its registry. */
export const TRY_AGAIN_LATER = 1013;
export const GOING_AWAY = 1001;

/** Work for one socket between two turns of the event loop, in milliseconds. */
const TURN_MS_MAX = 8;

/**
 * Sends to one socket with a bound on what waits in it. A caller awaits every `send`; while the socket is full it
 * takes no further change from its subscription, which merges them meanwhile.
 */
export class SocketSender {
  readonly #socket: WebSocket;
  readonly #bufferBytesMax: number;
  readonly #stallMsMax: number;
  readonly #onStall: () => void;
  #waiting = 0;
  #room: (() => void)[] = [];
  #turnEndsAt = performance.now() + TURN_MS_MAX;

  constructor(socket: WebSocket, bufferBytesMax: number, stallMsMax: number, onStall: () => void) {
    this.#onStall = onStall;
    this.#socket = socket;
    this.#bufferBytesMax = bufferBytesMax;
    this.#stallMsMax = stallMsMax;
    socket.on('close', () => this.#release());
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  async send(text: string): Promise<void> {
    if (!this.open) return;
    const bytes = Buffer.from(text);
    this.#waiting += bytes.length;
    this.#socket.send(bytes, { binary: false }, () => {
      this.#waiting -= bytes.length;
      if (this.#waiting <= this.#bufferBytesMax / 2) this.#release();
    });
    if (this.#waiting > this.#bufferBytesMax) await this.#untilRoom();
    if (performance.now() > this.#turnEndsAt) {
      await nextTurn();
      this.#turnEndsAt = performance.now() + TURN_MS_MAX;
    }
  }

  async #untilRoom(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#room.push(resolve);
    const timer = setTimeout(() => {
      this.#onStall();
      this.#socket.close(TRY_AGAIN_LATER, 'the client reads too slowly');
      this.#release();
    }, this.#stallMsMax);
    await promise;
    clearTimeout(timer);
  }

  #release(): void {
    const room = this.#room;
    this.#room = [];
    for (const resolve of room) resolve();
  }
}
