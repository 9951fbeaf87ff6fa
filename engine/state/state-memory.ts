/**
 * Memory for cells that V8 does not count: an ArrayBuffer of the same size makes it mark its whole heap for every 64 MB that
 * state grows by, though nothing of it can be freed. It is freed as all else is when nothing refers to it.
 */
export function cellBytes(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}
