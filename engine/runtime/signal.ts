/** Something that one loop waits for and many parties ring; rings before the wait are not lost. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  readonly ring = (): void => {
    this.#rung = true;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };

  /** Settles at the next ring, at once when one came since the last wait, or after `waitMsMax`. */
  async wait(waitMsMax: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          this.#wake = undefined;
          resolve();
        }, waitMsMax);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#rung = false;
  }
}
