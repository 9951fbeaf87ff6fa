import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WebSocket } from 'ws';

/** Close codes of RFC 6455 and its registry. */
export const TRY_AGAIN_LATER = 1013;
export const GOING_AWAY = 1001;

/** Work for one socket between two turns of the event loop, in milliseconds. */
const TURN_MS_MAX = 8;
/** What a waiting message holds beside its text: objects of Node and of the WebSocket library. */
const MESSAGE_BYTES = 512;
/** Text that goes to the kernel in one piece. */
const GROUP_CHARS_MAX = 64 * 1024;

/**
 * Sends to one socket with a bound on what waits in it. A caller awaits every `send`; while the socket is full it
 * takes no further change from its subscription, which merges them meanwhile.
 */
export class SocketSender {
  readonly #socket: WebSocket;
  readonly #stream: Socket;
  readonly #bufferBytesMax: () => number;
  readonly #stallMsMax: number;
  readonly #onStall: () => void;
  #waiting = 0;
  #room: (() => void)[] = [];
  #turnEndsAt = performance.now() + TURN_MS_MAX;

  /**
   * @param stream          what the WebSocket writes to.
   * @param bufferBytesMax  what may wait in it now.
   */
  constructor(
    socket: WebSocket,
    stream: Socket,
    bufferBytesMax: () => number,
    stallMsMax: number,
    onStall: () => void,
  ) {
    this.#stream = stream;
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
    this.#write([text]);
    await this.#breathe();
  }

  /** Sends messages in groups, each with one call of the operating system. */
  async sendAll<Message>(
    messages: Iterable<Message>,
    textOf: (message: Message) => string,
  ): Promise<void> {
    let group: string[] = [];
    let chars = 0;
    for (const message of messages) {
      const text = textOf(message);
      group.push(text);
      chars += text.length;
      if (chars < GROUP_CHARS_MAX) continue;
      this.#write(group);
      await this.#breathe();
      group = [];
      chars = 0;
    }
    this.#write(group);
    await this.#breathe();
  }

  #write(texts: readonly string[]): void {
    if (!this.open) return;
    let bytes = 0;
    this.#stream.cork();
    for (const [index, text] of texts.entries()) {
      const data = Buffer.from(text);
      bytes += data.length + MESSAGE_BYTES;
      const isLast = index === texts.length - 1;
      this.#socket.send(data, { binary: false }, isLast ? () => this.#sent(bytes) : undefined);
    }
    this.#waiting += bytes;
    this.#stream.uncork();
  }

  #sent(bytes: number): void {
    this.#waiting -= bytes;
    if (this.#waiting <= this.#bufferBytesMax() / 2) this.#release();
  }

  /** Waits while the socket is full, and lets others have the event loop. */
  async #breathe(): Promise<void> {
    if (this.open && this.#waiting > this.#bufferBytesMax()) await this.#untilRoom();
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
