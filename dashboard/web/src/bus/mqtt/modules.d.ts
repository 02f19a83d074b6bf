// Inner files of packages that have no types of their own.
declare module 'readable-stream/lib/internal/streams/readable' { export { Readable as default } from 'readable-stream'; }
declare module 'readable-stream/lib/internal/streams/writable' { export { Writable as default } from 'readable-stream'; }
declare module 'readable-stream/lib/internal/streams/duplex' { export { Duplex as default } from 'readable-stream'; }
declare module 'readable-stream/lib/internal/streams/transform' { export { Transform as default } from 'readable-stream'; }
declare module 'readable-stream/lib/internal/streams/legacy' { export const Stream: object; }
