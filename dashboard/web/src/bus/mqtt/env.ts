// What Node's modules take for granted; imported before them.
import { Buffer } from 'buffer';

Object.assign(globalThis, {
  Buffer,
  process: {
    env: {}, version: '', versions: {}, browser: true,
    nextTick: (run: (...args: unknown[]) => void, ...args: unknown[]) => queueMicrotask(() => run(...args)),
  },
});
